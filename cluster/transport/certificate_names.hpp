#pragma once

#include "cluster/transport/certificates.hpp"

struct x509_st;

namespace tobit::cluster {

/// What `read_certificate` tells, of a certificate that is parsed already. Says nothing about who signed it.
result<certified> names_of(const x509_st* certificate);

} // namespace tobit::cluster
