#define CAF_SUITE event_log
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/event/event_log.hpp"
