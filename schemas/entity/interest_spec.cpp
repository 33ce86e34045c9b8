#include "schemas/entity/interest_spec.hpp"

namespace tobit::entity {

void to_json(json& out, const event_interest& wanted) {
  out = {{"types", wanted.types}, {"sources", wanted.sources}};
  if (wanted.field.empty()) return;
  out["field"] = wanted.field;
  out["values"] = wanted.values;
}

void from_json(const json& in, event_interest& wanted) {
  wanted.types = in.value("types", std::vector<std::string>{});
  wanted.sources = in.value("sources", std::vector<std::string>{});
  wanted.field = in.value("field", "");
  wanted.values = in.value("values", std::vector<json>{});
}

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
