#include "http/server/content_coding.hpp"

#include "http/server/characters.hpp"

#include <algorithm>
#include <array>
#include <brotli/encode.h>
#include <zlib.h>

namespace tobit::http::edge {
namespace {

constexpr int gzip_level = 4;
constexpr int brotli_quality = 4;
constexpr int brotli_window = 18;
constexpr int window_gzip = 15 + 16, window_zlib = 15, window_raw = -15;

auto damaged() { return fail(error_code::validation_error, "The compressed body is damaged or cut off."); }

/// "deflate" is zlib's format by the RFC, and raw deflate by some clients; the two can be told apart by zlib's header.
int window_for(std::string_view coding, std::string_view body) {
  if (coding == "gzip") return window_gzip;
  if (body.size() < 2) return window_zlib;
  const unsigned first = static_cast<unsigned char>(body[0]), second = static_cast<unsigned char>(body[1]);
  return (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0 ? window_zlib : window_raw;
}

class inflater {
public:
  explicit inflater(int window) { ready_ = inflateInit2(&stream_, window) == Z_OK; }
  ~inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  result<std::string> run(std::string_view body, std::size_t limit, bool many_members) {
    if (!ready_) return fail(error_code::overloaded);
    std::string plain;
    // zlib's interface is not const-correct; it does not write to its input. uInt holds every limit in use here.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    for (;;) {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int outcome = inflate(&stream_, Z_NO_FLUSH);
      if (outcome != Z_OK && outcome != Z_STREAM_END) return damaged();
      const auto made = buffer_.size() - stream_.avail_out;
      if (made > limit - plain.size()) return fail(error_code::payload_too_large);
      plain.append(reinterpret_cast<const char*>(buffer_.data()), made);
      if (outcome == Z_STREAM_END) {
        if (stream_.avail_in == 0) return plain;
        if (!many_members || inflateReset(&stream_) != Z_OK) return damaged();
      }
    }
  }

private:
  z_stream stream_{};
  bool ready_ = false;
  std::array<Bytef, 32 * 1024> buffer_;
};

std::optional<std::string> gzip(std::string_view body) {
  z_stream stream{};
  if (deflateInit2(&stream, gzip_level, Z_DEFLATED, window_gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int outcome = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return {};
  return packed;
}

std::optional<std::string> brotli(std::string_view body) {
  std::size_t size = BrotliEncoderMaxCompressedSize(body.size());
  std::string packed(size, '\0');
  if (!BrotliEncoderCompress(brotli_quality, brotli_window, BROTLI_MODE_TEXT, body.size(),
                             reinterpret_cast<const uint8_t*>(body.data()), &size,
                             reinterpret_cast<uint8_t*>(packed.data())))
    return {};
  packed.resize(size);
  return packed;
}

/// Thousandths of a quality value "0.5"; what cannot be read counts as refused.
int quality_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  int thousandths = (text[0] - '0') * 1000, unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return 0;
    thousandths += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(thousandths, 1000);
}

} // namespace

result<std::string> decode_content(std::string_view coding, std::string body, std::size_t limit) {
  std::string name{trimmed(coding)};
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (name.empty() || name == "identity") return body;
  if (name == "x-gzip") name = "gzip";
  if (name != "gzip" && name != "deflate")
    return fail(error_code::unsupported_media_type, "Send the body plain, or with Content-Encoding gzip or deflate.");
  if (body.empty()) return body;
  return inflater{window_for(name, body)}.run(body, limit, name == "gzip");
}

content_coding choose_coding(std::string_view accept_encoding) {
  int gzip_quality = -1, brotli_quality_value = -1, any = -1, identity = -1;
  for (std::string_view element; next_element(accept_encoding, element);) {
    const auto semicolon = element.find(';');
    const auto name = trimmed(element.substr(0, semicolon));
    int quality = 1000;
    if (semicolon != std::string_view::npos) {
      const auto parameter = trimmed(element.substr(semicolon + 1));
      const bool named = parameter.size() > 2 && lower(parameter[0]) == 'q' && parameter[1] == '=';
      quality = named ? quality_of(parameter.substr(2)) : 0;
    }
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip"))
      gzip_quality = quality;
    else if (equal_ignoring_case(name, "br"))
      brotli_quality_value = quality;
    else if (equal_ignoring_case(name, "identity"))
      identity = quality;
    else if (name == "*")
      any = quality;
  }
  if (gzip_quality < 0) gzip_quality = std::max(any, 0);
  if (brotli_quality_value < 0) brotli_quality_value = std::max(any, 0);
  const int best = std::max(gzip_quality, brotli_quality_value);
  if (best <= 0 || best < identity) return content_coding::identity;
  return brotli_quality_value == best ? content_coding::brotli : content_coding::gzip;
}

std::string_view name_of(content_coding coding) noexcept {
  switch (coding) {
  case content_coding::gzip:
    return "gzip";
  case content_coding::brotli:
    return "br";
  default:
    return "identity";
  }
}

bool is_compressible(std::string_view content_type) noexcept {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  if (type.starts_with("text/")) return type != "text/event-stream";
  if (type.ends_with("+json") || type.ends_with("+xml")) return true;
  constexpr std::array<std::string_view, 8> known{
      "application/json", "application/javascript", "application/xml",  "application/x-ndjson",
      "application/yaml", "application/wasm",       "application/toml", "application/manifest+json"};
  return std::find(known.begin(), known.end(), type) != known.end();
}

std::optional<std::string> compress(content_coding coding, std::string_view body) {
  if (coding == content_coding::identity || body.size() > 0x7fff'ffffu) return {};
  auto packed = coding == content_coding::brotli ? brotli(body) : gzip(body);
  if (packed && packed->size() >= body.size()) packed.reset();
  return packed;
}

} // namespace tobit::http::edge
