#define CAF_SUITE alerting_life_postgres
#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/actor/alert/alerting_life.hpp"
