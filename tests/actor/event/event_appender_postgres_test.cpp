#define CAF_SUITE event_appender_postgres
#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/actor/event/event_appender.hpp"
