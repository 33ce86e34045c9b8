#define CAF_SUITE entity_life
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/entity/entity_life.hpp"
