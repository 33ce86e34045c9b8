#define CAF_SUITE entity_timer
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/entity/entity_timer.hpp"
