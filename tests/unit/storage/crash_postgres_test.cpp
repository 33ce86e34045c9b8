#define CAF_SUITE crash_postgres
#include "tests/support/scratch_database.hpp"

#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#include "tests/unit/storage/crash.hpp"
