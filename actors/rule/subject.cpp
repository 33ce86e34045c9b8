#include "actors/rule/subject.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace tobit::rule {

namespace {

constexpr auto no_index = std::numeric_limits<std::size_t>::max();

std::size_t index_of(std::string_view step) noexcept {
  std::size_t index = 0;
  const auto [end, wrong] = std::from_chars(step.data(), step.data() + step.size(), index);
  return wrong == std::errc{} && end == step.data() + step.size() ? index : no_index;
}

/// The operand only refers to its text, and an event keeps its time as a number: the text lives here until the next
/// call.
std::string_view time_text(utc_time t) {
  thread_local std::string text;
  text = to_rfc3339(t);
  return text;
}

} // namespace

field_path::field_path(std::string text) : text_(std::move(text)) {
  for (std::size_t at = 0; at <= text_.size();) {
    const auto end = std::min(text_.find('.', at), text_.size());
    const auto name = std::string_view(text_).substr(at, end - at);
    steps_.push_back({static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(name.size()), index_of(name)});
    at = end + 1;
  }
}

std::string_view field_path::fault_of(std::string_view text) noexcept {
  if (text.empty()) return "A path has at least one step, e.g. 'cpu.percent'.";
  if (text.size() > field_path_length_max) return "A path is at most 200 bytes long.";
  if (text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return "A path has no empty steps; write names with single dots between them, e.g. 'cpu.percent'.";
  if (std::count(text.begin(), text.end(), '.') >= static_cast<std::ptrdiff_t>(field_path_steps_max))
    return "A path has at most 16 steps.";
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return "A path holds no control characters.";
  return {};
}

const json* field_path::descend(const json& root, std::size_t first_step) const noexcept {
  const json* at = &root;
  for (std::size_t i = first_step; i < steps_.size(); ++i) {
    if (at->is_object()) {
      const auto entry = at->find(name_of(steps_[i]));
      if (entry == at->end()) return nullptr;
      at = &*entry;
    } else if (at->is_array()) {
      if (steps_[i].index >= at->size()) return nullptr;
      at = &(*at)[steps_[i].index];
    } else {
      return nullptr;
    }
  }
  return at;
}

const json* field_path::in(const json& root) const noexcept {
  if (const auto* found = descend(root, 0)) return found;
  if (steps_.size() == 1 || !root.is_object()) return nullptr;
  const auto literal = root.find(std::string_view(text_));
  return literal == root.end() ? nullptr : &*literal;
}

operand field_path::attribute(const event::event& e) const noexcept {
  const auto name = name_of(steps_.front());
  if (name == "data" && steps_.size() > 1) return operand::of(descend(e.data, 1));
  if (steps_.size() == 1) {
    if (name == "type") return operand::of_text(e.type);
    if (name == "source") return operand::of_text(e.source);
    if (name == "id") return operand::of_text(e.id);
    if (name == "time") return operand::of_text(time_text(e.time));
    if (name == "subject") return e.subject.empty() ? operand{} : operand::of_text(e.subject);
  }
  return operand::of(in(e.attributes));
}

operand field_path::in(const subject& where) const noexcept {
  if (const auto* found = in(*where.data)) return operand::of(found);
  if (where.envelope) {
    auto found = attribute(*where.envelope);
    if (found.is != operand::type::missing) return found;
  }
  if (where.data->is_object())
    if (const auto metrics = where.data->find("metrics"); metrics != where.data->end())
      return operand::of(in(*metrics));
  return {};
}

} // namespace tobit::rule
