#define CAF_SUITE event_log_postgres
#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/actor/event/event_log.hpp"
