#define CAF_SUITE event_appender
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/event/event_appender.hpp"
