#include "actors/rule/series_definition.hpp"

#include "actors/poll/exposition/series_selector.hpp"

namespace tobit::rule {

namespace {

constexpr std::size_t query_length_max = 4'000;

void read_reduce(field_reader& in, json& out) {
  if (in.has("group_by")) {
    out["reduce"] = in.text("reduce", {1, 20}, "each");
    if (out["reduce"] != "each")
      in.refuse("reduce", "With 'group_by' each series is judged by itself; remove 'reduce'.");
    return;
  }
  out["reduce"] = in.choice("reduce", {"one", "first", "max", "min", "sum", "avg"}, "one");
}

void read_query(field_reader& in, json& out) {
  for (auto name : {"format", "selector"})
    in.refuse_if_present(name, "The source 'prometheus' takes a 'query'; use the source 'runtime' to read a page of "
                               "metrics itself.");
  out["query"] = in.text("query", {1, query_length_max, true});
  const auto& endpoint = out["endpoint"].get_ref<const std::string&>();
  if (endpoint.find_first_of("?#") != std::string::npos)
    in.refuse("endpoint",
              "'endpoint' is the address of the server, e.g. http://prometheus:9090; the query belongs into 'query', "
              "further parameters into 'params'.");
}

bool read_page(field_reader& in, json& out) {
  in.refuse_if_present("query", "A 'query' is for the source 'prometheus'.");
  const auto format = in.choice("format", {"json", "prometheus"}, "json");
  if (format == "json") {
    for (auto name : {"selector", "reduce"})
      in.refuse_if_present(name, "This is for pages of metrics; set 'format' to 'prometheus', or remove it.");
    return false;
  }
  out["format"] = format;
  out["selector"] = in.text("selector", {1, poll::selector_length_max, true});
  if (in.problems().good())
    if (const auto parsed = poll::series_selector::parse(out["selector"].get_ref<const std::string&>()); !parsed)
      in.refuse("selector", parsed.error().message);
  if (out["method"] != "GET") in.refuse("method", "A page of metrics is read with GET.");
  return true;
}

} // namespace

bool read_series(field_reader& in, json& out) {
  if (out["source"] == "host") {
    for (auto name : {"query", "format", "selector", "reduce"})
      in.refuse_if_present(name, "The source 'host' reads the machine itself; remove this field.");
    return false;
  }
  if (out["source"] == "probe") {
    for (auto name : {"query", "format", "selector", "reduce"})
      in.refuse_if_present(name, "The source 'probe' only looks whether an address answers; remove this field.");
    return false;
  }
  bool series = true;
  if (out["source"] == "prometheus")
    read_query(in, out);
  else
    series = read_page(in, out);
  if (series) read_reduce(in, out);
  return series;
}

} // namespace tobit::rule
