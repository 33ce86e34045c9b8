#define CAF_SUITE crash_sqlite
#include "tests/support/scratch_database.hpp"

#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#include "tests/unit/storage/crash.hpp"
