#define CAF_SUITE entity_life_postgres
#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/actor/entity/entity_life.hpp"
