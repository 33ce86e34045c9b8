#include "actors/notify/template/notice_template.hpp"

#include "actors/notify/template/template_scan.hpp"

#include <kainjow/mustache.hpp>

namespace tobit::notify {

namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t title_bytes_max = 300, text_bytes_max = 16u << 10, html_bytes_max = 128u << 10;

/// Thrown through the template engine, which has no other way of being stopped.
struct output_full {};

/// Empty texts and lists count as "not there", so that `{{#message}}` guards what stands around a value.
mustache::data to_data(const json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.empty() ? mustache::data(false) : mustache::data(text);
  }
  if (value.is_boolean()) return mustache::data(value.get<bool>());
  if (value.is_array()) {
    mustache::data list(mustache::data::type::list);
    for (const auto& one : value) list.push_back(to_data(one));
    return list;
  }
  mustache::data object(mustache::data::type::object);
  for (const auto& [name, one] : value.items()) object.set(name, to_data(one));
  return object;
}

} // namespace

std::string escape_for(escaping target, std::string_view text) {
  if (target == escaping::none) return std::string(text);
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"' && target == escaping::html)
      out += "&quot;";
    else if (c == '\'' && target == escaping::html)
      out += "&#39;";
    else
      out.push_back(c);
  }
  return out;
}

std::string render_template(std::string_view text, const json& values, escaping target, std::size_t bytes_max) {
  if (!check_template(text)) return {};
  mustache::mustache engine{std::string(text)};
  if (!engine.is_valid()) return {};
  std::size_t spent = 0;
  engine.set_custom_escape([&](const std::string& value) {
    auto escaped = escape_for(target, value);
    spent += escaped.size();
    if (spent > bytes_max) throw output_full{};
    return escaped;
  });
  std::string out;
  try {
    // The engine hands over line by line; what it holds of the line under way is lost when it is stopped.
    engine.render(to_data(values), [&](const std::string& piece) {
      out += piece;
      if (out.size() > bytes_max) throw output_full{};
    });
  } catch (const output_full&) {
    out += "…";
  }
  return cut_text(out, bytes_max);
}

rendered_notice render_notice(std::string_view channel_type, const template_overrides& templates,
                              const channel::send_notice& notice, const speaker& who) {
  const auto values = notice_values(notice, who);
  const auto pick = [](const std::string& own, std::string_view otherwise) {
    return own.empty() ? otherwise : std::string_view(own);
  };
  rendered_notice out;
  const auto text_for = channel_type == "slack" ? escaping::slack : escaping::none;
  out.title = one_line(
      render_template(pick(templates.title, default_title(who.speaks)), values, escaping::none, 4 * title_bytes_max),
      title_bytes_max);
  if (out.title.empty()) out.title = one_line(values["alert_title"].get_ref<const std::string&>(), title_bytes_max);
  out.text =
      render_template(pick(templates.text, default_text(channel_type, who.speaks)), values, text_for, text_bytes_max);
  while (!out.text.empty() && (out.text.back() == '\n' || out.text.back() == ' ')) out.text.pop_back();
  if (channel_type != "email") return out;
  if (templates.html.empty() && !templates.text.empty())
    out.html = "<pre style=\"font-family:sans-serif;white-space:pre-wrap\">" + escape_for(escaping::html, out.text) +
               "</pre>\n";
  else
    out.html = render_template(pick(templates.html, default_html(who.speaks)), values, escaping::html, html_bytes_max);
  return out;
}

} // namespace tobit::notify
