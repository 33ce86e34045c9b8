#include "config/load.hpp"

#include <yaml-cpp/eventhandler.h>
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
/// yaml-cpp reads nested collections by recursion; more brackets than this are no settings either.
constexpr int bracket_depth_max = 32;

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

  std::string where(const YAML::Mark& mark) const {
    if (mark.is_null()) return name_;
    return name_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }

  void add(const YAML::Mark& mark, std::string key, std::string message) {
    problems_.push_back({where(mark), std::move(key), std::move(message)});
  }

  const std::string& name_;
  settings& into_;
  std::vector<problem> problems_;
  std::map<std::string, std::string> seen_;
};

/// Line and column (from 1) of the first byte that cannot be in a settings file, with the reason.
std::optional<problem> bad_bytes(std::string_view text, const std::string& name) {
  std::size_t line = 1, column = 1;
  int brackets = 0;
  auto at = [&](std::string message) {
    return problem{name + ":" + std::to_string(line) + ":" + std::to_string(column), {}, std::move(message)};
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    std::size_t length = c < 0x80 ? 1 : c >= 0xF0 && c < 0xF5 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 0;
    if (c >= 0xF5 || length == 0 || i + length > text.size()) return at("is not UTF-8 text; is this the right file?");
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80)
        return at("is not UTF-8 text; is this the right file?");
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
      return at("holds a control character; is this the right file?");
    if (c == '[' || c == '{') ++brackets;
    if ((c == ']' || c == '}') && brackets > 0) --brackets;
    if (brackets > bracket_depth_max) return at("is nested too deeply for a settings file.");
    if (c == '\n')
      ++line, column = 1;
    else
      ++column;
    i += length;
  }
  return std::nullopt;
}

/// Hears where documents start and nothing else.
struct start_listener final : YAML::EventHandler {
  YAML::Mark start;
  void OnDocumentStart(const YAML::Mark& mark) override { start = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// What follows the first document. YAML::LoadAll is not used because it never ends on a text that begins with a comma:
/// yaml-cpp 0.7 then finds one empty document after the other in the same place. YAML::Load alone would ignore the
/// rest.
std::optional<problem> second_document(std::string_view yaml, const std::string& name) {
  std::istringstream in{std::string(yaml)};
  YAML::Parser parser(in);
  start_listener listener;
  if (!parser.HandleNextDocument(listener) || !parser.HandleNextDocument(listener)) return std::nullopt;
  return problem{name + ":" + std::to_string(listener.start.line + 1) + ":" + std::to_string(listener.start.column + 1),
                 {},
                 "starts a second YAML document, or is not valid YAML; a settings file holds one document."};
}

std::vector<problem> one(std::string where, std::string message) {
  return {{std::move(where), {}, std::move(message)}};
}

} // namespace

std::vector<problem> apply_yaml(std::string_view yaml, const std::string& name, settings& into) {
  if (yaml.size() > file_size_max) return one(name, "is larger than 1 MB, which no settings file is.");
  if (auto bad = bad_bytes(yaml, name)) return {std::move(*bad)};
  try {
    if (auto rest = second_document(yaml, name)) return {std::move(*rest)};
    const auto document = YAML::Load(std::string(yaml));
    if (!document.IsDefined()) return {}; // nothing but remarks
    return reader(name, into).take(document);
  } catch (const YAML::Exception& e) {
    const auto place = e.mark.is_null()
                           ? name
                           : name + ":" + std::to_string(e.mark.line + 1) + ":" + std::to_string(e.mark.column + 1);
    return one(place, "is not valid YAML: " + e.msg + ".");
  } catch (const std::exception&) { // yaml-cpp lets some of the standard library's out on odd input
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
