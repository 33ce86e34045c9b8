#define CAF_SUITE entity_message
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/entity/entity_message.hpp"
