#include "tests/unit/rule/rule_table.hpp"

#include "tests/unit/rule/pattern_rules.hpp"

namespace tobit::rule::samples {

namespace {

json schedule(json spec) { return rule_with("schedule", std::move(spec)); }
json with_event(json spec) { return rule_with("event", std::move(spec)); }
json windowed(json config, json aggregation) {
  return with_event({{"types", "x"}, {"window_config", std::move(config)}, {"aggregation", std::move(aggregation)}});
}
json acting(json action) { return rule_with("event", {{"types", "x"}}, std::move(action)); }

json metric(const json& changes) {
  json spec{{"endpoint", "https://example.org/m"}, {"value_path", "cpu.percent"}, {"op", ">"}, {"threshold", 90}};
  spec.merge_patch(changes);
  return rule_with("metric", spec);
}

/// The value of series stands at `value` by itself.
json of_series(const json& changes) {
  json spec{{"endpoint", "https://example.org/"}, {"op", ">"}, {"threshold", 90}};
  spec.merge_patch(changes);
  return rule_with("metric", spec);
}

json anomaly(const json& changes) {
  json spec{{"source", "host"}, {"value_path", "load.1"}};
  spec.merge_patch(changes);
  return rule_with("anomaly", spec);
}

json changed(json rule, const char* name, json value) {
  rule[name] = std::move(value);
  return rule;
}
json without(json rule, const char* name) {
  rule.erase(name);
  return rule;
}

json webhook(const json& changes) {
  json spec{{"type", "webhook"}, {"endpoint", "https://example.org/hook"}};
  spec.merge_patch(changes);
  return acting(spec);
}

json deep(int depth) {
  json out{{"field", "a"}, {"op", "=="}, {"value", 1}};
  for (int i = 0; i < depth; ++i) out = json{{"logic", "AND"}, {"conditions", json::array({out})}};
  return out;
}

json actions(std::size_t count) { return json(std::vector<json>(count, {{"type", "store"}})); }

} // namespace

const std::vector<good_rule>& good_rules() {
  static const auto all = with_patterns(std::vector<good_rule>{
      {"single comparison", hot()},
      {"nested conditions",
       with_event({{"logic", "OR"},
                   {"conditions",
                    {{{"field", "a"}, {"op", ">"}, {"value", 1}},
                     {{"logic", "NOT"}, {"conditions", {{{"field", "b"}, {"op", "in"}, {"value", {1, 2}}}}}}}}})},
      {"tumbling window", windowed({{"type", "tumbling"}, {"size_seconds", 60}, {"allowed_lateness_seconds", 0}},
                                   {{"type", "count"}, {"threshold", 3}})},
      {"sliding window",
       windowed({{"type", "sliding"}, {"size_seconds", 300}},
                {{"type", "percentile"}, {"percentile_value", 0}, {"field", "ms"}, {"threshold", "9"}})},
      {"session", windowed({{"type", "session"}, {"gap_seconds", 30}}, {{"type", "sum"}, {"field", "n"}})},
      {"counted window", windowed({{"type", "sliding"}, {"count", 1'000}},
                                  {{"type", "distinct"}, {"field", "user"}, {"op", "<"}, {"threshold", 3}})},
      {"window of a metric",
       rule_with("metric", {{"source", "host"},
                            {"value_path", "cpu.percent"},
                            {"group_by", {"name"}},
                            {"window_config", {{"type", "sliding"}, {"size_seconds", 60}, {"slide_seconds", 10}}},
                            {"aggregation", {{"type", "max"}, {"op", ">="}, {"threshold", 95}}}})},
      {"eight levels", with_event(deep(8))},
      {"lower case logic", with_event({{"logic", "or"}, {"conditions", {{{"field", "a"}, {"value", nullptr}}}}})},
      {"default operator", with_event({{"field", "a"}, {"value", true}})},
      {"only a type", with_event({{"event_type", "disk.full"}})},
      {"case insensitive", with_event({{"field", "a"}, {"op", "contains"}, {"value", "x"}, {"case_sensitive", false}})},
      {"cron", schedule({{"cron", "*/5 * * * *"}})},
      {"cron with seconds",
       schedule({{"cron", "30 0 9 * * MON-FRI"}, {"timezone", "Europe/Berlin"}, {"missed", "all"}, {"missed_max", 5}})},
      {"interval", schedule({{"interval_seconds", 60}, {"overlap", "queue"}, {"jitter_seconds", 5}})},
      {"http metric",
       metric({{"params", {{"q", "up"}, {"n", 3}}}, {"headers", {{"X-Api-Key", "k"}}}, {"method", "POST"}})},
      {"http metric by its other name", metric({{"source", "http"}, {"fire", "on_change"}})},
      {"text threshold", metric({{"threshold", "90.5"}, {"op", "="}})},
      {"host metric",
       rule_with("metric",
                 {{"source", "host"}, {"value_path", "disk./.used_percent"}, {"op", ">="}, {"threshold", 90}})},
      {"learning anomaly", anomaly({{"anomaly_method", "iqr"}, {"anomaly_config", {{"multiplier", 2}}}})},
      {"anomaly over events", rule_with("anomaly", {{"types", {"reading"}},
                                                    {"value_path", "t"},
                                                    {"anomaly_method", "ema"},
                                                    {"anomaly_config", {{"alpha", 0.5}, {"threshold", 4}}}})},
      {"fixed baseline", anomaly({{"baseline_values", {1, 2, 3.5}}})},
      {"a query", of_series({{"source", "prometheus"}, {"query", "sum(up)"}, {"params", {{"dedup", true}}}})},
      {"a query judged by series", of_series({{"source", "prometheus"}, {"query", "up"}, {"group_by", {"instance"}}})},
      {"a page of metrics",
       of_series({{"format", "prometheus"}, {"selector", "x_total{code=~\"5..\"}"}, {"reduce", "sum"}})},
      {"a query watched for what is unusual",
       rule_with("anomaly",
                 {{"source", "prometheus"}, {"endpoint", "https://example.org"}, {"query", "rate(x_total[5m])"}})},
      {"a probe", metric({{"source", "probe"}, {"value_path", "up"}, {"op", "=="}, {"threshold", 0}})},
      {"endpoint on this node", metric({{"endpoint", "/metrics?x=1"}})},
      {"webhook", webhook({{"method", "PUT"},
                           {"headers", {{"Authorization", "Bearer x"}}},
                           {"body", {{"text", "{{rule.name}}: {{summary}}"}}}})},
      {"signed webhook", webhook({{"secret", "env:TOBIT_SECRET_HOOK"}})},
      {"several actions", acting({{"type", "multi_action"},
                                  {"actions",
                                   {{{"type", "store"}, {"severity", "high"}, {"message", "t is {{temperature}}"}},
                                    {{"type", "webhook"}, {"endpoint", "https://example.org/"}}}}})},
      {"list of actions", acting(actions(20))},
      {"actions in sequence", acting({{"type", "multi_action"},
                                      {"run", "sequence"},
                                      {"actions",
                                       {{{"type", "store"}, {"on_error", "continue"}},
                                        {{"type", "webhook"},
                                         {"endpoint", "https://example.org/"},
                                         {"when", {{"field", "a"}, {"op", ">"}, {"value", 1}}}}}}})},
      {"notify", acting({{"type", "notify"}, {"channels", {"ops"}}, {"message", "{{value}}"}, {"severity", "high"}})},
      {"trigger_rule", acting({{"type", "trigger_rule"}, {"rule_id", "x"}, {"payload", {{"a", "{{b}}"}}}})},
      {"trigger by its other name", acting({{"type", "trigger"}, {"rule_id", "x"}})},
      {"api", acting({{"type", "api"}, {"api_id", "x"}, {"params", {{"a", 1}}}})},
      {"api_call", acting({{"type", "api_call"}, {"api_id", "x"}})},
      {"http", acting({{"type", "http"}, {"api_id", "x"}, {"input", {{"a", "{{b}}"}}}})},
      {"limit of firings", changed(hot(), "max_firings_per_minute", 60)},
      {"no action", acting(json::object())},
      {"everything at the top",
       changed(changed(changed(changed(hot(), "description", "line\nline"), "severity", "critical"), "labels",
                       {{"team", "ops"}}),
               "timezone", "Asia/Seoul")},
      {"read again",
       changed(changed(changed(hot(), "version", 3), "created_at", "2026-01-01T00:00:00Z"), "rule_id", ref.key)},
  });
  return all;
}

const std::vector<bad_rule>& bad_rules() {
  static const auto all = with_patterns(std::vector<bad_rule>{
      // the rule itself
      {"not an object", json::array({1}), "", "JSON object"},
      {"null", nullptr, "", "JSON object"},
      {"no name", without(hot(), "rule_name"), "/rule_name", "needs the field"},
      {"empty name", changed(hot(), "rule_name", ""), "/rule_name", "1 to 200 bytes"},
      {"blank name", changed(hot(), "rule_name", "  "), "/rule_name", "not a blank", true},
      {"long name", changed(hot(), "rule_name", std::string(201, 'x')), "/rule_name", "not 201"},
      {"name is a number", changed(hot(), "rule_name", 5), "/rule_name", "is a text"},
      {"control character", changed(hot(), "rule_name", "a\x01"), "/rule_name", "control character", true},
      {"misspelt field", changed(hot(), "is_activ", true), "/is_activ", "Did you mean 'is_active'"},
      {"misspelt name", changed(without(hot(), "rule_name"), "rule_nam", "x"), "/rule_nam", "Did you mean 'rule_name'"},
      {"unknown field", changed(hot(), "zzz", 1), "/zzz", "It knows"},
      {"unknown field with slash", changed(hot(), "a/b~c", 1), "/a~1b~0c", "no field"},
      {"flag as text", changed(hot(), "is_active", "yes"), "/is_active", "true or false"},
      {"unknown severity", changed(hot(), "severity", "hihg"), "/severity", "Did you mean 'high'"},
      {"labels as list", changed(hot(), "labels", json::array({"a"})), "/labels", "object"},
      {"label is a number", changed(hot(), "labels", {{"a", 1}}), "/labels/a", "text"},
      {"unknown zone", changed(hot(), "timezone", "Mars/Phobos"), "/timezone", "time zone", true},
      {"other rule's id", changed(hot(), "rule_id", "x"), "/rule_id", "leave it out", true},
      {"no trigger type", without(hot(), "trigger_type"), "/trigger_type", "needs the field"},
      {"unknown trigger type", changed(hot(), "trigger_type", "evnt"), "/trigger_type", "Did you mean 'event'"},
      {"no trigger", without(hot(), "trigger_spec"), "/trigger_spec", "trigger_spec"},
      {"trigger as text", changed(hot(), "trigger_spec", "x"), "/trigger_spec", "JSON object"},
      // schedule
      {"no schedule", schedule(json::object()), "/trigger_spec", "'cron'"},
      {"minute 61", schedule({{"cron", "61 * * * *"}}), "/trigger_spec/cron", "61", true},
      {"31 February", schedule({{"cron", "* * 31 2 *"}}), "/trigger_spec/cron", "", true},
      {"four fields", schedule({{"cron", "* * * *"}}), "/trigger_spec/cron", "fields", true},
      {"cron as number", schedule({{"cron", 5}}), "/trigger_spec/cron", "text"},
      {"schedule zone", schedule({{"cron", "* * * * *"}, {"timezone", "Nowhere"}}), "/trigger_spec/timezone", "", true},
      {"interval 0", schedule({{"interval_seconds", 0}}), "/trigger_spec/interval_seconds", "from 1 to"},
      {"negative interval", schedule({{"interval_seconds", -5}}), "/trigger_spec/interval_seconds", "from 1 to"},
      {"half interval", schedule({{"interval_seconds", 1.5}}), "/trigger_spec/interval_seconds", "whole number"},
      {"interval as text", schedule({{"interval_seconds", "60"}}), "/trigger_spec/interval_seconds", "whole number"},
      {"huge interval", schedule({{"interval_seconds", 1e30}}), "/trigger_spec/interval_seconds", "whole number"},
      {"unknown missed", schedule({{"interval_seconds", 5}, {"missed", "never"}}), "/trigger_spec/missed",
       "skip, once, all"},
      {"missed without end", schedule({{"interval_seconds", 5}, {"missed_max", 100000}}), "/trigger_spec/missed_max",
       "1 to 1000"},
      {"unknown overlap", schedule({{"interval_seconds", 5}, {"overlap", "kill"}}), "/trigger_spec/overlap",
       "skip, queue, allow"},
      {"jitter beyond interval", schedule({{"interval_seconds", 5}, {"jitter_seconds", 5}}),
       "/trigger_spec/jitter_seconds", "shorter", true},
      {"misspelt interval", schedule({{"interval_second", 5}}), "/trigger_spec/interval_second",
       "Did you mean 'interval_seconds'"},
      // metric
      {"metric without endpoint", metric({{"endpoint", nullptr}}), "/trigger_spec/endpoint", "needs the field"},
      {"metric without path", metric({{"value_path", nullptr}}), "/trigger_spec/value_path", "needs the field"},
      {"metric without threshold", metric({{"threshold", nullptr}}), "/trigger_spec/threshold", "needs the field"},
      {"threshold not a number", metric({{"threshold", "high"}}), "/trigger_spec/threshold", "is a number", true},
      {"threshold is a flag", metric({{"threshold", true}}), "/trigger_spec/threshold", "is a number"},
      {"metric operator", metric({{"op", "contains"}}), "/trigger_spec/op", "one of"},
      {"endpoint not a URL", metric({{"endpoint", "example"}}), "/trigger_spec/endpoint", "", true},
      {"endpoint of another scheme", metric({{"endpoint", "file:///etc/passwd"}}), "/trigger_spec/endpoint", "http",
       true},
      {"endpoint on loopback", metric({{"endpoint", "http://127.0.0.1/x"}}), "/trigger_spec/endpoint", "", true},
      {"endpoint without a host", metric({{"endpoint", "//x"}}), "/trigger_spec/endpoint", "", true},
      {"method DELETE", metric({{"method", "DELETE"}}), "/trigger_spec/method", "GET, POST"},
      {"params as list", metric({{"params", {1}}}), "/trigger_spec/params", "object"},
      {"nested params", metric({{"params", {{"a", {{"b", 1}}}}}}), "/trigger_spec/params/a",
       "text, a number or a boolean"},
      {"header with a blank", metric({{"headers", {{"a b", "x"}}}}), "/trigger_spec/headers/a b", "header name"},
      {"header with a line break", metric({{"headers", {{"A", "x\r\nB: y"}}}}), "/trigger_spec/headers/A",
       "control character", true},
      {"header of ours", metric({{"headers", {{"Idempotency-Key", "x"}}}}), "/trigger_spec/headers/Idempotency-Key",
       "set by Tobit", true},
      {"poll too often", metric({{"poll_interval_seconds", 0}}), "/trigger_spec/poll_interval_seconds", "from 1 to"},
      {"unknown source", metric({{"source", "influx"}}), "/trigger_spec/source", "runtime, http, host"},
      {"prometheus without a query", of_series({{"source", "prometheus"}}), "/trigger_spec/query", "needs the field"},
      {"a query elsewhere", metric({{"query", "up"}}), "/trigger_spec/query", "source 'prometheus'"},
      {"a server with a query string",
       of_series({{"source", "prometheus"}, {"query", "up"}, {"endpoint", "https://example.org/?query=up"}}),
       "/trigger_spec/endpoint", "address of the server", true},
      {"a page without a selector", of_series({{"format", "prometheus"}}), "/trigger_spec/selector", "needs the field"},
      {"a selector without a page", metric({{"selector", "up"}}), "/trigger_spec/selector", "set 'format'"},
      {"a selector with a range", of_series({{"format", "prometheus"}, {"selector", "up[5m]"}}),
       "/trigger_spec/selector", "nothing more", true},
      {"a selector with a broken pattern", of_series({{"format", "prometheus"}, {"selector", "up{a=~\"(\"}"}}),
       "/trigger_spec/selector", "regular expression", true},
      {"unknown reduce", of_series({{"source", "prometheus"}, {"query", "up"}, {"reduce", "median"}}),
       "/trigger_spec/reduce", "one, first, max"},
      {"reduce with groups",
       of_series({{"source", "prometheus"}, {"query", "up"}, {"reduce", "max"}, {"group_by", {"job"}}}),
       "/trigger_spec/reduce", "judged by itself", true},
      {"a query of the host", metric({{"source", "host"}, {"endpoint", nullptr}, {"query", "up"}}),
       "/trigger_spec/query", "machine itself"},
      {"a selector for a probe", metric({{"source", "probe"}, {"selector", "up"}}), "/trigger_spec/selector",
       "whether an address answers"},
      {"aggregation without a window", metric({{"aggregation", {{"type", "avg"}}}}), "/trigger_spec/aggregation",
       "needs a window"},
      {"host with endpoint",
       rule_with("metric",
                 {{"source", "host"}, {"endpoint", "https://example.org"}, {"value_path", "a"}, {"threshold", 1}}),
       "/trigger_spec/endpoint", "host"},
      {"unknown fire", metric({{"fire", "sometimes"}}), "/trigger_spec/fire", "always, on_change"},
      {"path with an empty step", metric({{"value_path", "a..b"}}), "/trigger_spec/value_path", "empty steps", true},
      // event
      {"every event", with_event(json::object()), "/trigger_spec", "every event"},
      {"every event by a star", with_event({{"types", {"*"}}, {"sources", {"**"}}}), "/trigger_spec", "every event",
       true},
      {"no conditions", with_event({{"conditions", json::array()}}), "/trigger_spec/conditions", "at least one"},
      {"unknown operator", with_event({{"field", "a"}, {"op", "matches"}, {"value", "x"}}), "/trigger_spec/op",
       "not an operator"},
      {"comparison without value", with_event({{"field", "a"}, {"op", ">"}}), "/trigger_spec/value",
       "needs the field 'value'"},
      {"value without field", with_event({{"value", 1}, {"types", "x"}}), "/trigger_spec/value", "'field'"},
      {"logic without conditions", with_event({{"logic", "AND"}, {"types", "x"}}), "/trigger_spec/logic", "conditions"},
      {"both forms", with_event({{"field", "a"}, {"value", 1}, {"conditions", {{{"field", "a"}, {"value", 1}}}}}),
       "/trigger_spec/field", "not both"},
      {"bad inner condition",
       with_event({{"conditions",
                    {{{"field", "a"}, {"value", 1}},
                     {{"logic", "OR"}, {"conditions", {{{"field", "b"}, {"op", "<>"}, {"value", 1}}}}}}}}),
       "/trigger_spec/conditions/1/conditions/0/op", "not an operator"},
      {"nine levels", with_event(deep(9)),
       "/trigger_spec/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/"
       "conditions/0",
       "deeper", true},
      {"unknown field in condition", with_event({{"conditions", {{{"field", "a"}, {"value", 1}, {"values", 2}}}}}),
       "/trigger_spec/conditions/0/values", "Did you mean 'value'"},
      {"window without aggregation",
       with_event({{"types", "x"}, {"window_config", {{"type", "tumbling"}, {"size_seconds", 5}}}}),
       "/trigger_spec/window_config", "needs an 'aggregation'"},
      {"window without a bound", windowed({{"type", "tumbling"}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/size_seconds", "needs a bound"},
      {"window misspelt", windowed({{"type", "tumbling"}, {"size_second", 5}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/size_second", "Did you mean"},
      {"window of a year",
       windowed({{"type", "tumbling"}, {"size_seconds", 3e7}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/size_seconds", "at most 2678400"},
      {"unknown window", windowed({{"type", "hopping"}, {"size_seconds", 5}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/type", "tumbling, sliding, session"},
      {"session without gap", windowed({{"type", "session"}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/gap_seconds", "gap_seconds"},
      {"count of a session", windowed({{"type", "session"}, {"count", 5}}, {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/count", "gap_seconds"},
      {"slide that does not divide",
       windowed({{"type", "sliding"}, {"size_seconds", 60}, {"slide_seconds", 7}},
                {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/slide_seconds", "whole number of times", true},
      {"too many slides",
       windowed({{"type", "sliding"}, {"size_seconds", 86'400}, {"slide_seconds", 1}},
                {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/slide_seconds", "at most 366", true},
      {"lateness by arrival",
       windowed({{"type", "tumbling"}, {"size_seconds", 60}, {"time", "arrival"}, {"allowed_lateness_seconds", 5}},
                {{"type", "count"}, {"threshold", 1}}),
       "/trigger_spec/window_config/allowed_lateness_seconds", "nothing is late", true},
      {"sum of nothing", windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "sum"}, {"threshold", 1}}),
       "/trigger_spec/aggregation/field", "needs the field", true},
      {"unknown aggregation",
       windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "median"}, {"field", "a"}, {"threshold", 1}}),
       "/trigger_spec/aggregation/type", "percentile"},
      {"percentile of nothing said",
       windowed({{"type", "tumbling"}, {"size_seconds", 60}},
                {{"type", "percentile"}, {"field", "a"}, {"threshold", 1}}),
       "/trigger_spec/aggregation/percentile_value", "percentile_value", true},
      {"threshold as text",
       windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "count"}, {"threshold", {1}}}),
       "/trigger_spec/aggregation/threshold", "a number"},
      {"update without threshold", windowed({{"type", "sliding"}, {"size_seconds", 60}}, {{"type", "count"}}),
       "/trigger_spec/aggregation/threshold", "every input would fire", true},
      {"rate of a session", windowed({{"type", "session"}, {"gap_seconds", 5}}, {{"type", "rate"}, {"threshold", 1}}),
       "/trigger_spec/aggregation/type", "fixed length", true},
      {"too many keys",
       with_event({{"types", "x"},
                   {"max_keys", 2'000'000},
                   {"window_config", {{"type", "tumbling"}, {"size_seconds", 5}}},
                   {"aggregation", {{"type", "count"}, {"threshold", 1}}}}),
       "/trigger_spec/max_keys", "from 1 to 1000000"},
      {"group_by twice", with_event({{"types", "x"}, {"group_by", {"a", "a"}}}), "/trigger_spec/group_by/1", "twice"},
      {"group_by path", with_event({{"types", "x"}, {"group_by", {"a..b"}}}), "/trigger_spec/group_by/0", "empty steps",
       true},
      {"types with a number", with_event({{"types", {"a", 5}}}), "/trigger_spec/types/1", "text"},
      // anomaly
      {"unknown detector", anomaly({{"anomaly_method", "mad"}}), "/trigger_spec/anomaly_method", "zscore, iqr, ema"},
      {"anomaly without path", anomaly({{"value_path", nullptr}}), "/trigger_spec/value_path", "needs the field"},
      {"alpha above 1", anomaly({{"anomaly_method", "ema"}, {"anomaly_config", {{"alpha", 2}}}}),
       "/trigger_spec/anomaly_config/alpha", "at most 1"},
      {"threshold for iqr", anomaly({{"anomaly_method", "iqr"}, {"anomaly_config", {{"threshold", 2}}}}),
       "/trigger_spec/anomaly_config/threshold", "does not use", true},
      {"baseline of texts", anomaly({{"baseline_values", {1, "x"}}}), "/trigger_spec/baseline_values/1", "number"},
      {"baseline too short", anomaly({{"anomaly_method", "iqr"}, {"baseline_values", {1, 2, 3}}}),
       "/trigger_spec/baseline_values", "at least 4", true},
      {"anomaly over every event", rule_with("anomaly", {{"value_path", "a"}}), "/trigger_spec", "types", true},
      {"baseline smaller than needed", anomaly({{"anomaly_config", {{"min_samples", 50}, {"baseline_max", 10}}}}),
       "/trigger_spec/anomaly_config/baseline_max", "at least", true},
      {"settings of the method outside", anomaly({{"seasonality", "hour_of_day"}}), "/trigger_spec/seasonality",
       "anomaly_config"},
      // actions
      {"a list in a message", acting({{"type", "store"}, {"message", "{{#alerts}}x{{/alerts}}"}}),
       "/action_spec/message", "channel's templates", true},
      {"action as text", acting("webhook"), "/action_spec", "object"},
      {"action without type", acting({{"endpoint", "https://example.org"}}), "/action_spec/type", "needs the field"},
      {"unknown action", acting({{"type", "email"}}), "/action_spec/type", "not an action"},
      {"notify without channels", acting({{"type", "notify"}, {"channels", json::array()}}), "/action_spec/channels",
       "at least one"},
      {"notify with a condition",
       acting({{"type", "notify"}, {"channels", {"ops"}}, {"when", {{"field", "a"}, {"value", 1}}}}),
       "/action_spec/when", "every change"},
      {"rule that triggers itself", acting({{"type", "trigger_rule"}, {"rule_id", ref.key}}), "/action_spec/rule_id",
       "cannot trigger itself", true},
      {"trigger_rule without rule", acting({{"type", "trigger_rule"}}), "/action_spec/rule_id", "needs the field"},
      {"trigger_rule placeholder", acting({{"type", "trigger_rule"}, {"rule_id", "x"}, {"payload", {{"a", "{{x"}}}}),
       "/action_spec/payload/a", "not closed", true},
      {"api without definition", acting({{"type", "api"}}), "/action_spec/api_id", "needs the field"},
      {"api with a list of parameters", acting({{"type", "api"}, {"api_id", "x"}, {"params", {1}}}),
       "/action_spec/params", "object"},
      {"api_script", acting({{"type", "api_script"}, {"api_id", "x"}}), "/action_spec/type", "not available"},
      {"action with a bad condition", webhook({{"when", {{"field", "a"}, {"op", "~"}, {"value", 1}}}}),
       "/action_spec/when/op", "one of"},
      {"secret itself", webhook({{"secret", "hunter2"}}), "/action_spec/secret", "never the secret itself"},
      {"unknown on_error", webhook({{"on_error", "retry"}}), "/action_spec/on_error", "one of"},
      {"unknown phase", acting({{"type", "store"}, {"on", {"pending"}}}), "/action_spec/on", "firing"},
      {"resolved without alerts", webhook({{"on", {"resolved"}}}), "/action_spec/on", "alert", true},
      {"unknown way to run", acting({{"type", "multi_action"}, {"run", "random"}, {"actions", {{{"type", "store"}}}}}),
       "/action_spec/run", "one of"},
      {"no firings allowed", changed(hot(), "max_firings_per_minute", 0), "/max_firings_per_minute", "1"},
      {"webhook without endpoint", acting({{"type", "webhook"}}), "/action_spec/endpoint", "needs the field"},
      {"webhook to metadata", webhook({{"endpoint", "http://169.254.169.254/"}}), "/action_spec/endpoint", "", true},
      {"webhook method", webhook({{"method", "TRACE"}}), "/action_spec/method", "one of"},
      {"webhook body a number", webhook({{"body", 5}}), "/action_spec/body", "object, a list or a text"},
      {"webhook body placeholder", webhook({{"body", {{"a", {"{{x"}}}}}), "/action_spec/body/a/0", "not closed", true},
      {"misspelt endpoint", acting({{"type", "webhook"}, {"endpont", "https://example.org"}}), "/action_spec/endpont",
       "Did you mean 'endpoint'"},
      {"message placeholder", acting({{"type", "store"}, {"message", "{{ }}"}}), "/action_spec/message", "not a path",
       true},
      {"no actions in a multi action", acting({{"type", "multi_action"}, {"actions", json::array()}}),
       "/action_spec/actions", "1 to 20"},
      {"multi action in itself",
       acting(
           {{"type", "multi_action"}, {"actions", {{{"type", "multi_action"}, {"actions", {{{"type", "store"}}}}}}}}),
       "/action_spec/actions/0/type", "no further list"},
      {"21 actions", acting(actions(21)), "/action_spec", "1 to 20"},
      {"second action bad", acting(json::array({{{"type", "store"}}, {{"type", "store"}, {"severity", "bad"}}})),
       "/action_spec/1/severity", "one of"},
  });
  return all;
}

} // namespace tobit::rule::samples
