#define CAF_SUITE event_router
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/event/event_router.hpp"
