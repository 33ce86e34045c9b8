#include "actors/poll/exposition/query_answer.hpp"

#include "actors/poll/exposition/exposition.hpp"

namespace tobit::poll {

namespace {

constexpr std::size_t words_max = 300;

tl::unexpected<error> odd(std::string_view what) {
  return fail(error_code::external_service_error,
              "The answer is not one of Prometheus's query API: " + std::string(what) + ".");
}

std::string words(const json& answer, const char* name) {
  const auto at = answer.find(name);
  return at != answer.end() && at->is_string() ? at->get<std::string>().substr(0, words_max) : std::string{};
}

/// `[1700000000.123, "42"]`
bool read_point(const json& point, double& out) {
  return point.is_array() && point.size() == 2 && point[1].is_string() &&
         read_value(point[1].get_ref<const std::string&>(), out);
}

bool read_series(const json& written, series& out) {
  if (!written.is_object() || !written.contains("metric") || !written["metric"].is_object()) return false;
  // A sample of a native histogram has no single value; its count or a quantile has to be asked for.
  if (!written.contains("value") || !read_point(written["value"], out.value)) return false;
  for (const auto& [name, value] : written["metric"].items()) {
    if (!value.is_string() || out.labels.size() >= series_labels_max) return false;
    if (name == "__name__")
      out.name = value.get<std::string>();
    else
      out.labels.emplace_back(name, value.get<std::string>());
  }
  return true;
}

} // namespace

result<std::vector<series>> read_query_answer(const json& answer) {
  if (!answer.is_object()) return odd("it is no object");
  if (answer.value("status", json()) == "error")
    return fail(error_code::external_service_error,
                "Prometheus refused the query (" + words(answer, "errorType") + "): " + words(answer, "error"));
  const auto data = answer.find("data");
  if (answer.value("status", json()) != "success" || data == answer.end() || !data->is_object() ||
      !data->contains("result"))
    return odd("it has no status and result");
  const auto type = words(*data, "resultType");
  const auto& found = (*data)["result"];
  if (type == "scalar") {
    series one;
    if (!read_point(found, one.value)) return odd("its scalar is no number");
    return std::vector<series>{std::move(one)};
  }
  if (type != "vector" || !found.is_array())
    return fail(error_code::external_service_error,
                "The query gives a " + (type.empty() ? std::string("result without a type") : type) +
                    "; write one that gives a scalar or an instant vector, e.g. rate(x_total[5m]) instead of "
                    "x_total[5m].");
  if (found.size() > series_max)
    return fail(error_code::external_service_error, "The query gives " + std::to_string(found.size()) +
                                                        " series; aggregate until it is at most " +
                                                        std::to_string(series_max) + ".");
  std::vector<series> all(found.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!read_series(found[i], all[i]))
      return odd("series " + std::to_string(i + 1) + " has no labels or no single number as its value");
  return all;
}

} // namespace tobit::poll
