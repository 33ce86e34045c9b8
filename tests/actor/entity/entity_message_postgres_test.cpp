#define CAF_SUITE entity_message_postgres
#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/actor/entity/entity_message.hpp"
