#pragma once

#include "config/yaml_document.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace tobit::config {

/// Turns a YAML node into JSON by the core schema of YAML 1.2: quoted scalars are texts, plain ones what they look
/// like. Ends on every input, aliases included: `nodes_max` bounds what they unfold to. Throws YAML::Exception with the
/// place of what cannot be JSON (a key that is no word, a key written twice).
class yaml_converter {
public:
  /// Told the JSON pointer of each value and where it stands.
  using place_listener = std::function<void(const std::string& pointer, const YAML::Mark& mark)>;

  /// `text_size`: of the document. Without aliases no node is shorter than a byte, so the bound that follows from it
  /// leaves room for honest use of them.
  explicit yaml_converter(std::size_t text_size, place_listener places = {})
      : nodes_max_(4 * text_size + 1'000), places_(std::move(places)) {}

  json convert(const YAML::Node& node) { return convert(node, {}, 0); }

private:
  json convert(const YAML::Node& node, const std::string& pointer, int depth);

  const std::size_t nodes_max_;
  const place_listener places_;
  std::size_t nodes_ = 0;
};

} // namespace tobit::config
