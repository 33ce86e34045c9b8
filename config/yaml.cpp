#include "config/load.hpp"
#include "config/yaml_document.hpp"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/stat.h>

namespace tobit::config {

namespace {

/// Sections nest at most this deep in the table; deeper mappings are no settings.
constexpr int depth_max = 4;

/// Reads one document into settings and collects what is wrong with it.
class reader {
public:
  reader(const std::string& name, settings& into) : name_(name), into_(into) {}

  std::vector<problem> take(const YAML::Node& root) {
    if (root.IsNull()) return {};
    if (!root.IsMap())
      add(root.Mark(), {}, "is not a list of `key: value` lines; see `tobit config reference`.");
    else
      section(root, "", 0);
    return std::move(problems_);
  }

private:
  void section(const YAML::Node& node, const std::string& prefix, int depth) {
    for (const auto& pair : node) {
      if (problems_.size() >= problems_max) return;
      if (!pair.first.IsScalar()) {
        add(pair.first.Mark(), prefix, "has a key that is not a word.");
        continue;
      }
      entry(pair.first, pair.second, prefix.empty() ? pair.first.Scalar() : prefix + "." + pair.first.Scalar(), depth);
    }
  }

  void entry(const YAML::Node& name, const YAML::Node& node, const std::string& key, int depth) {
    if (const auto* row = find_setting(key)) return setting_value(*row, name, node);
    if (!is_section(key)) return unknown(name.Mark(), key);
    if (node.IsNull()) return; // a section whose lines are all commented out
    if (!node.IsMap() || depth >= depth_max)
      return add(node.Mark(), key, "is a section: put its settings below it, indented.");
    section(node, key, depth + 1);
  }

  void setting_value(const setting_description& row, const YAML::Node& name, const YAML::Node& node) {
    const std::string key(row.key);
    if (row.id == setting::config)
      return add(name.Mark(), key, "cannot be set in the file itself; use --config or TOBIT_CONFIG.");
    const auto place = where(name.Mark());
    if (auto [seen, fresh] = seen_.emplace(key, place); !fresh)
      return add(name.Mark(), key, "is set twice; the other one is at " + seen->second + ".");
    const auto text = value_text(row, node);
    if (!text) return;
    if (auto done = into_.set(row.id, *text, source::file, place); !done) add(node.Mark(), key, done.error());
  }

  std::optional<std::string> value_text(const setting_description& row, const YAML::Node& node) {
    const std::string key(row.key);
    if (node.IsScalar()) return node.Scalar();
    if (node.IsNull())
      add(node.Mark(), key, "has no value; remove the line to keep the default, or write '' for an empty text.");
    else if (row.type == setting_type::list && node.IsSequence())
      return sequence_text(row, node);
    else
      add(node.Mark(), key,
          std::string("takes ") + (row.type == setting_type::list ? "a list" : "one value") +
              "; allowed: " + limits_in_words(row));
    return std::nullopt;
  }

  std::optional<std::string> sequence_text(const setting_description& row, const YAML::Node& node) {
    std::string text;
    for (const auto& item : node) {
      if (!item.IsScalar() || item.Scalar().find(',') != std::string::npos) {
        add(item.Mark(), std::string(row.key), "has an entry that is not one word; allowed: " + limits_in_words(row));
        return std::nullopt;
      }
      text += (text.empty() ? "" : ",") + item.Scalar();
    }
    return text;
  }

  static bool is_section(const std::string& key) {
    for (const auto& row : setting_table())
      if (row.key.substr(0, key.size() + 1) == key + ".") return true;
    return false;
  }

  void unknown(const YAML::Mark& mark, const std::string& key) {
    std::vector<std::string> known;
    for (const auto& row : setting_table()) {
      known.emplace_back(row.key);
      known.emplace_back(row.key.substr(0, row.key.find('.')));
    }
    std::string message = "is not a known setting";
    if (const auto meant = nearest(key, known))
      message += "; did you mean '" + *meant + "'?";
    else
      message += "; `tobit config list` shows all.";
    add(mark, key.substr(0, 200), std::move(message));
  }

  std::string where(const YAML::Mark& mark) const { return yaml_place(name_, mark); }

  void add(const YAML::Mark& mark, std::string key, std::string message) {
    problems_.push_back({where(mark), std::move(key), std::move(message)});
  }

  const std::string& name_;
  settings& into_;
  std::vector<problem> problems_;
  std::map<std::string, std::string> seen_;
};

std::vector<problem> one(std::string where, std::string message) {
  return {{std::move(where), {}, std::move(message)}};
}

} // namespace

std::vector<problem> apply_yaml(std::string_view yaml, const std::string& name, settings& into) {
  if (yaml.size() > file_size_max) return one(name, "is larger than 1 MB, which no settings file is.");
  try {
    const auto document = read_yaml(yaml, name);
    if (!document) return one(document.error().where, document.error().message);
    return reader(name, into).take(*document);
  } catch (const std::exception&) { // yaml-cpp converts nodes lazily and lets some of the standard library's out
    return one(name, "is not valid YAML.");
  }
}

std::vector<problem> apply_file(const std::string& path, settings& into) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return one(path, std::string("cannot be read: ") + std::strerror(errno) + ".");
  if (!S_ISREG(facts.st_mode)) return one(path, "is not a file; --config takes a YAML file.");
  if (static_cast<std::uintmax_t>(facts.st_size) > file_size_max)
    return one(path, "is larger than 1 MB, which no settings file is.");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || (facts.st_size > 0 && text.str().empty()))
    return one(path, std::string("cannot be read: ") + std::strerror(errno) + ".");
  return apply_yaml(text.str(), path, into);
}

} // namespace tobit::config
