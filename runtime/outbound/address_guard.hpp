#pragma once

#include "runtime/outbound/address.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::outbound {

/// Decides which addresses may be reached: public ones and those on the allow list. Immutable, thread-safe.
class address_guard {
public:
  /// Reads the allow list. Errors: configuration_error that quotes the entry.
  static result<address_guard> make(const guard_options& options);

  /// `host`: the name in the URL, for entries that allow a name whatever it resolves to.
  bool allows(const ip_address& ip, std::uint16_t port, std::string_view host) const noexcept;

private:
  struct entry {
    std::optional<ip_network> network; ///< else `host` counts
    std::string host;                  ///< lower case, without a final dot
    std::uint16_t port = 0;            ///< 0: any
  };
  static std::optional<entry> parse(std::string_view text);

  std::vector<entry> entries_;
};

/// A host name as it is compared: lower case, without the final dot.
std::string normal_host(std::string_view host);

} // namespace tobit::outbound
