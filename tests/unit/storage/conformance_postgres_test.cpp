#define CAF_SUITE conformance_postgres
#include "tests/support/scratch_database.hpp"

#define TOBIT_TESTED_KIND tobit::testing::database_kind::postgresql
#define TOBIT_OPEN tobit::storage::open_postgres
#include "tests/unit/storage/conformance.hpp"
