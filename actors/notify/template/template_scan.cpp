#include "actors/notify/template/template_scan.hpp"

#include "actors/notify/template/notice_values.hpp"
#include "actors/rule/field_reader.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

struct tag {
  char sigil = 0; ///< '#', '^', '/', '!', '>', '&', '=', '{', or 0 for a variable
  std::string_view name;
  std::size_t begin = 0, end = 0; ///< of the tag in the text
};

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// One section that is open.
struct section {
  std::string_view name;
  std::size_t begin = 0;
  std::size_t times = 1; ///< how often its content may appear inside what is around it
};

class scan {
public:
  explicit scan(std::string_view text) : text_(text) {}

  result<void> run() {
    if (text_.size() > template_bytes_max) return complain(0, "A template is at most 16 KiB.");
    std::size_t at = 0;
    while (true) {
      const auto begin = text_.find("{{", at);
      grow((begin == text_.npos ? text_.size() : begin) - at);
      if (begin == text_.npos) break;
      tag found;
      if (auto read = read_tag(begin, found); !read) return read;
      if (auto taken = take(found); !taken) return taken;
      at = found.end;
    }
    if (!open_.empty())
      return complain(open_.back().begin, "The section '" + std::string(open_.back().name) +
                                              "' is not closed; write {{/" + std::string(open_.back().name) +
                                              "}} at its end.");
    if (growth_ > template_growth_max)
      return complain(
          0, "This template may grow to " + std::to_string(growth_ >> 10) +
                 " KiB when all lists are full; at most 256 KiB are allowed. Put less text into nested lists.");
    return {};
  }

private:
  tl::unexpected<error> complain(std::size_t at, std::string sentence) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return fail(error_code::validation_error,
                "Line " + std::to_string(line) + " of the template: " + std::move(sentence));
  }

  void grow(std::size_t bytes) {
    std::size_t times = 1;
    for (const auto& one : open_) times *= one.times;
    growth_ += bytes * times;
  }

  result<void> read_tag(std::size_t begin, tag& out) const {
    out.begin = begin;
    const auto inner = begin + 2;
    const bool triple = inner < text_.size() && text_[inner] == '{';
    const auto closing = text_.find(triple ? "}}}" : "}}", inner);
    if (closing == text_.npos) return complain(begin, "A tag is opened with {{ and not closed with }}.");
    out.end = closing + (triple ? 3 : 2);
    out.name = trimmed(text_.substr(inner + (triple ? 1 : 0), closing - inner - (triple ? 1 : 0)));
    if (triple) {
      out.sigil = '{';
    } else if (!out.name.empty() && std::string_view("#^/!>&=").find(out.name.front()) != std::string_view::npos) {
      out.sigil = out.name.front();
      out.name = trimmed(out.name.substr(1));
    }
    if (out.name.empty() && out.sigil != '!') return complain(begin, "A tag has no name.");
    return {};
  }

  result<void> take(const tag& t) {
    switch (t.sigil) {
    case '!':
      return {};
    case '>':
      return complain(t.begin, "A template includes no other template; write its text here.");
    case '=':
      return complain(t.begin, "The delimiters stay {{ and }}.");
    case '&':
    case '{':
      return complain(t.begin, "Every value is escaped for where it is sent; write {{" + std::string(t.name) + "}}.");
    case '/':
      return close(t);
    case '#':
    case '^':
      return open(t);
    default:
      return known(t);
    }
  }

  result<void> open(const tag& t) {
    if (auto fine = known(t); !fine) return fine;
    if (open_.size() >= section_depth_max) return complain(t.begin, "Sections stand at most 4 deep inside each other.");
    const auto length = list_length_max(t.name);
    for (const auto& one : open_)
      if (length > 0 && one.name == t.name)
        return complain(t.begin,
                        "The list '" + std::string(t.name) + "' is walked inside itself; that never ends well.");
    open_.push_back({t.name, t.begin, t.sigil == '#' ? std::max<std::size_t>(1, length) : 1});
    return {};
  }

  result<void> close(const tag& t) {
    if (open_.empty())
      return complain(t.begin, "The section '" + std::string(t.name) + "' is closed but was not opened.");
    if (open_.back().name != t.name)
      return complain(t.begin, "The section '" + std::string(open_.back().name) + "' is open; {{/" +
                                   std::string(t.name) + "}} cannot close it.");
    open_.pop_back();
    return {};
  }

  result<void> known(const tag& t) const {
    if (is_notice_value(t.name)) return {};
    const auto near = rule::nearest_name(t.name, notice_value_names());
    return complain(t.begin, "There is no value '" + std::string(t.name.substr(0, 80)) + "'." +
                                 (near.empty() ? " docs/channels.md lists those that exist."
                                               : " Did you mean '" + std::string(near) + "'?"));
  }

  std::string_view text_;
  std::vector<section> open_;
  std::size_t growth_ = 0;
};

} // namespace

result<void> check_template(std::string_view text) { return scan(text).run(); }

} // namespace tobit::notify
