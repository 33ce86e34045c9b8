#include "schemas/entity/interest_spec.hpp"

namespace tobit::entity {

bool glob_matches(std::string_view glob, std::string_view text) noexcept {
  // Only the latest star ever needs to be reconsidered: an earlier one could not gain anything by taking more.
  std::size_t g = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

} // namespace tobit::entity
