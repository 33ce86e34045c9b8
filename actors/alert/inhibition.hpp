#pragma once

#include "actors/alert/label_matcher.hpp"
#include "schemas/json.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace tobit::alert {

/// Which firing alerts keep which others quiet, as Alertmanager understands it: an alert that fits the target matchers
/// of an inhibition is quiet while another one that fits the source matchers fires and both have equal values for the
/// labels in `equal` (missing labels are equal to empty ones). An alert that fits both sides is not inhibited by
/// another one that fits both, so never by itself.
class inhibition_index {
public:
  /// Precondition: normalised.
  explicit inhibition_index(const json& specs);

  /// A firing alert. Adds the alerts whose answer may have changed to `affected`.
  void add(const std::string& alert_id, const json& labels, std::set<std::string>& affected);
  /// It does not fire any more (or its labels changed: remove and add).
  void remove(const std::string& alert_id, std::set<std::string>& affected);
  /// The alert that inhibits this one, or empty.
  std::string inhibitor_of(const std::string& alert_id) const;

  bool empty() const noexcept { return rules_.empty(); }

private:
  struct bucket {
    std::set<std::string> sources, both, targets; ///< `both`: fits both sides and is in none of the others
  };
  struct compiled_rule {
    matcher_list source, target;
    std::vector<std::string> equal;
    std::unordered_map<std::string, bucket> buckets;
  };
  struct place {
    std::size_t rule = 0;
    std::string bucket;
  };

  std::vector<compiled_rule> rules_;
  std::unordered_map<std::string, std::vector<place>> places_;
};

} // namespace tobit::alert
