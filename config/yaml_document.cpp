#include "config/yaml_document.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <exception>
#include <optional>
#include <sstream>

namespace tobit::config {

namespace {

/// Length of the UTF-8 sequence that starts with `c`, as far as the first byte tells; 0 if none does.
std::size_t sequence_length(unsigned char c) noexcept {
  if (c < 0x80) return 1;
  if (c < 0xC2 || c > 0xF4) return 0;
  return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

bool is_sequence(std::string_view text, std::size_t at, std::size_t length) noexcept {
  if (length == 0 || at + length > text.size()) return false;
  for (std::size_t k = 1; k < length; ++k)
    if ((static_cast<unsigned char>(text[at + k]) & 0xC0) != 0x80) return false;
  return true;
}

bool is_control(unsigned char c) noexcept { return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F; }

/// The first byte that cannot be in a text file.
std::optional<yaml_flaw> bad_byte(std::string_view text, const std::string& name, std::size_t first_line) {
  std::size_t line = first_line, column = 1;
  const auto here = [&] { return name + ":" + std::to_string(line) + ":" + std::to_string(column); };
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const auto length = sequence_length(c);
    if (!is_sequence(text, at, length)) return yaml_flaw{here(), "is not UTF-8 text; is this the right file?"};
    if (is_control(c)) return yaml_flaw{here(), "holds a control character; is this the right file?"};
    if (c == '\n')
      ++line, column = 1;
    else
      ++column;
    at += length;
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
std::optional<yaml_flaw> second_document(std::string_view text, const std::string& name, std::size_t first_line) {
  std::istringstream in{std::string(text)};
  YAML::Parser parser(in);
  start_listener listener;
  if (!parser.HandleNextDocument(listener) || !parser.HandleNextDocument(listener)) return std::nullopt;
  return yaml_flaw{yaml_place(name, listener.start, first_line),
                   "starts a second YAML document, or is not valid YAML; keep one document."};
}

} // namespace

std::string yaml_place(const std::string& name, const YAML::Mark& mark, std::size_t first_line) {
  if (mark.is_null()) return name;
  const auto line = static_cast<std::size_t>(mark.line) + first_line;
  return name + ":" + std::to_string(line) + ":" + std::to_string(mark.column + 1);
}

tl::expected<YAML::Node, yaml_flaw> read_yaml(std::string_view text, const std::string& name, std::size_t first_line) {
  using flaw = tl::unexpected<yaml_flaw>;
  if (auto bad = bad_byte(text, name, first_line)) return flaw(std::move(*bad));
  try {
    if (auto rest = second_document(text, name, first_line)) return flaw(std::move(*rest));
    auto document = YAML::Load(std::string(text));
    return document.IsDefined() ? document : YAML::Node(YAML::NodeType::Null);
  } catch (const YAML::Exception& e) {
    const auto* deep = dynamic_cast<const YAML::DeepRecursion*>(&e); // its own message is "bad file"
    return flaw(yaml_flaw{yaml_place(name, e.mark, first_line),
                          deep ? "is nested too deeply." : "is not valid YAML: " + e.msg + "."});
  } catch (const std::exception&) { // yaml-cpp lets some of the standard library's out on odd input
    return flaw(yaml_flaw{name, "is not valid YAML."});
  }
}

} // namespace tobit::config
