#define CAF_SUITE conformance_sqlite
#include "tests/support/scratch_database.hpp"

#define TOBIT_TESTED_KIND tobit::testing::database_kind::sqlite
#define TOBIT_OPEN tobit::storage::open_sqlite
#include "tests/unit/storage/conformance.hpp"
