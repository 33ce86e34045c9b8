#define CAF_SUITE alerting_life
#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/actor/alert/alerting_life.hpp"
