#pragma once

#include "schemas/json.hpp"

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tobit {

/// A struct that may be sent: it has a frozen wire name `tobit.<context>.<message>.v<N>` and JSON conversions
/// (`NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT`), so that a later release may add fields.
template <class T>
concept wire_message = requires {
  { T::wire_name } -> std::convertible_to<std::string_view>;
}
&&std::default_initializable<T>;

/// A message that writes its JSON as text itself (`schemas/json_text.hpp`), faster than through a tree. Declared beside
/// the message, so that everybody writes it the same way.
template <class T>
concept writes_itself = requires(std::string& out, const T& body) {
  write_text(out, body);
};

/// How to write and read one message type. One instance per type, for the life of the program.
struct message_type {
  std::string_view name;
  json (*encode)(const void* body);
  std::shared_ptr<const void> (*decode)(const json& body); ///< throws json::exception on a malformed body
  std::string (*text)(const void* body);                   ///< the text of what `encode` gives
};

template <wire_message T>
inline const message_type message_type_of{
    T::wire_name,
    [](const void* body) { return json(*static_cast<const T*>(body)); },
    [](const json& body) -> std::shared_ptr<const void> { return std::make_shared<const T>(body.get<T>()); },
    [](const void* body) {
      if constexpr (writes_itself<T>) {
        std::string out;
        write_text(out, *static_cast<const T*>(body));
        return out;
      } else {
        return to_text(json(*static_cast<const T*>(body)));
      }
    },
};

/// Any message: immutable, cheap to copy and to hand to another thread. Locally it is passed by reference and never
/// encoded; between nodes and in the journal it is its wire name and its JSON.
class message {
public:
  message() = default;

  template <wire_message T>
  static message of(T body) {
    message m;
    m.type_ = &message_type_of<T>;
    m.body_ = std::make_shared<const T>(std::move(body));
    return m;
  }

  /// The body if it is a `T`, else null. Valid as long as this message.
  template <wire_message T>
  const T* as() const noexcept {
    return type_ == &message_type_of<T> ? static_cast<const T*>(body_.get()) : nullptr;
  }

  explicit operator bool() const noexcept { return type_ != nullptr; }
  std::string_view name() const noexcept { return type_ ? type_->name : std::string_view{}; }
  /// The body as JSON. Precondition: not empty.
  json encode() const { return type_->encode(body_.get()); }
  /// The same as compact text. Precondition: not empty.
  std::string text() const { return text_ ? *text_ : type_->text(body_.get()); }
  /// This message with its text kept, for one that is written in several places.
  message written() const {
    auto m = *this;
    if (type_ && !text_) m.text_ = std::make_shared<const std::string>(text());
    return m;
  }

private:
  friend result<message> decode_message(std::string_view name, const json& body);
  const message_type* type_ = nullptr;
  std::shared_ptr<const void> body_;
  std::shared_ptr<const std::string> text_; ///< null: nobody has written it yet
};

/// Reads a message of a registered type. Errors: not_implemented for an unknown name (a newer node sent it),
/// validation_error for a body that does not fit.
result<message> decode_message(std::string_view name, const json& body);

/// Makes a type known to `decode_message`. Called once per type at start-up by the protocol's room
/// (`register_<context>_messages()`); registering the same type again changes nothing.
void register_message_type(const message_type& type);
template <wire_message... Ts>
void register_messages() {
  (register_message_type(message_type_of<Ts>), ...);
}

/// All registered types, ordered by name, for the wire contract's golden file.
std::vector<const message_type*> registered_message_types();

} // namespace tobit
