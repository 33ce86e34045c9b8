#pragma once

#include "runtime/entity/kind_registry.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::folder {

/// One definition of a file, checked.
struct wanted_definition {
  std::string kind, key, name; ///< `key` may be empty: to be found by the name
  json body;                   ///< complete: what the file leaves out has its default
};

/// A complaint about a file.
struct file_flaw {
  std::string place;   ///< file:line:column
  std::string pointer; ///< JSON pointer into the definition, may be empty
  std::string message;
};

struct file_content {
  std::vector<wanted_definition> definitions;
  std::vector<file_flaw> flaws; ///< not empty: nothing of the file may be applied
};

/// Reads and checks a file: YAML documents or JSON, each a definition of the kind that its member `kind` names ("rule"
/// if it names none). All flaws are told, at most 20.
file_content read_file(std::string_view text, const std::string& name, const entity::kind_registry& kinds,
                       const tenant_id& tenant);

/// There is one of this kind a tenant, with the key "default"; it cannot be disabled.
bool is_single(std::string_view kind) noexcept;

/// The id of a definition that names none: always the same for the same name, so that a file that is moved, or read by
/// another node, means the same entity.
std::string key_for_name(std::string_view kind, const tenant_id& tenant, std::string_view name);

} // namespace tobit::folder
