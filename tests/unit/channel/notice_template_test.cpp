#define CAF_SUITE notice_template

#include "actors/notify/template/notice_template.hpp"
#include "actors/notify/template/template_scan.hpp"
#include "tests/unit/channel/notice_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;
using testing::disk_alert;
using testing::disk_notice;
using testing::holds;

namespace {

std::string why_not(std::string_view text) {
  const auto checked = check_template(text);
  return checked ? std::string{} : checked.error().message;
}

std::string rendered(std::string_view text, escaping target = escaping::none, std::size_t bytes_max = 10'000) {
  return render_template(text, notice_values(disk_notice(), {"ops", language::en}), target, bytes_max);
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

} // namespace

CAF_TEST(the variables of the contract are filled in) {
  CAF_CHECK_EQUAL(
      rendered("{{alert_title}}|{{alert_message}}|{{severity}}|{{rule_name}}|{{timestamp}}|{{metadata.host}}"),
      "Disk of db-1 is full|/var <95%> & rising|critical|Disk full|2026-11-18 11:07:40 UTC|db-1");
}

CAF_TEST(lists are walked and what is missing is nothing) {
  CAF_CHECK_EQUAL(rendered("{{#alerts}}<{{title}};{{labels.nothing}};{{values_text}}>{{/alerts}}"),
                  "<Disk of db-1 is full;;used=97>");
  CAF_CHECK_EQUAL(rendered("{{#metadata_list}}{{name}}={{value}};{{/metadata_list}}"), "host=db-1;team=storage;");
  CAF_CHECK_EQUAL(
      rendered("a{{#runbook_url}} see {{runbook_url}}{{/runbook_url}}{{^runbook_url}} no runbook{{/runbook_url}}"),
      "a no runbook");
}

CAF_TEST(values are escaped for where they stand and never read as templates) {
  CAF_CHECK_EQUAL(rendered("{{alert_message}}", escaping::html), "/var &lt;95%&gt; &amp; rising");
  CAF_CHECK_EQUAL(rendered("{{alert_message}}", escaping::slack), "/var &lt;95%&gt; &amp; rising");
  CAF_CHECK_EQUAL(escape_for(escaping::html, "\"'"), "&quot;&#39;");
  auto notice = disk_notice();
  notice.message = "<!channel> {{severity}} <script>alert('x')</script>";
  const auto values = notice_values(notice, {"ops", language::en});
  CAF_CHECK_EQUAL(render_template("{{alert_message}}", values, escaping::slack, 1'000),
                  "&lt;!channel&gt; {{severity}} &lt;script&gt;alert('x')&lt;/script&gt;");
  CAF_CHECK(!holds(render_template(default_html(language::en), values, escaping::html, 100'000), "<script>"));
}

CAF_TEST(what cannot be rendered is refused when it is written) {
  CAF_CHECK(holds(why_not("a\nb {{#alerts}}"), "Line 2"));
  CAF_CHECK(holds(why_not("{{#alerts}}"), "not closed"));
  CAF_CHECK(holds(why_not("{{/alerts}}"), "was not opened"));
  CAF_CHECK(holds(why_not("{{#alerts}}{{#more}}{{/alerts}}{{/more}}"), "cannot close"));
  CAF_CHECK(holds(why_not("{{severity"), "not closed with"));
  CAF_CHECK(holds(why_not("{{"), "not closed with"));
  CAF_CHECK(holds(why_not("{{}}"), "no name"));
  CAF_CHECK(holds(why_not("{{> other}}"), "no other template"));
  CAF_CHECK(holds(why_not("{{=<% %>=}}"), "delimiters"));
  CAF_CHECK(holds(why_not("{{{severity}}}"), "escaped"));
  CAF_CHECK(holds(why_not("{{&severity}}"), "escaped"));
  CAF_CHECK(holds(why_not("{{severty}}"), "Did you mean 'severity'"));
  CAF_CHECK(holds(why_not(std::string(template_bytes_max + 1, 'x')), "16 KiB"));
  CAF_CHECK_EQUAL(why_not("{{! a remark }}{{severity}} {{labels.a.b}}"), "");
}

CAF_TEST(loops that grow without end are refused when they are written) {
  CAF_CHECK(holds(why_not("{{#alerts}}{{#alerts}}x{{/alerts}}{{/alerts}}"), "inside itself"));
  CAF_CHECK(holds(why_not(repeated("{{#more}}", 5) + repeated("{{/more}}", 5)), "4 deep"));
  const auto much = std::string(1'000, 'x');
  CAF_CHECK(holds(why_not("{{#alerts}}{{#labels_list}}" + much + "{{/labels_list}}{{/alerts}}"), "may grow"));
  CAF_CHECK_EQUAL(why_not("{{#alerts}}{{#labels_list}}{{name}}={{value}} {{/labels_list}}{{/alerts}}"), "");
}

CAF_TEST(output is bounded even if all values are long) {
  auto notice = disk_notice();
  notice.alerts.clear();
  for (int i = 0; i < 100; ++i) {
    auto alert = disk_alert("host-" + std::to_string(i));
    alert.annotations["summary"] = std::string(5'000, 's');
    notice.alerts.push_back(std::move(alert));
  }
  notice.alerts_total = 100;
  const auto values = notice_values(notice, {"ops", language::en});
  CAF_CHECK_EQUAL(values["alerts"].size(), alerts_shown_max);
  CAF_CHECK_EQUAL(values["more"], "80");
  CAF_CHECK(render_template("{{#alerts}}{{title}}\n{{/alerts}}", values, escaping::html, 4'000).size() <= 4'000u);
  const auto all = render_notice("email", {}, notice, {"ops", language::en});
  CAF_CHECK(all.title.size() <= 300u);
  CAF_CHECK(all.text.size() <= (16u << 10));
  CAF_CHECK(all.html.size() <= (128u << 10));
}

CAF_TEST(all defaults are valid and speak both languages) {
  for (auto speaks : {language::en, language::ko}) {
    CAF_CHECK_EQUAL(why_not(default_title(speaks)), "");
    CAF_CHECK_EQUAL(why_not(default_html(speaks)), "");
    for (const char* type : {"slack", "email", "sms", "webhook", "teams", "pagerduty"})
      CAF_CHECK_EQUAL(why_not(default_text(type, speaks)), "");
  }
  const auto english = render_notice("email", {}, disk_notice(), {"ops", language::en});
  CAF_CHECK_EQUAL(english.title, "[FIRING] Disk of db-1 is full");
  CAF_CHECK(holds(english.text, "Severity: critical\nRule: Disk full\nTime: 2026-11-18 11:07:40 UTC"));
  CAF_CHECK(
      holds(english.text, "- [FIRING] Disk of db-1 is full (host=db-1, team=storage) since 2026-11-18 11:06:40 UTC"));
  CAF_CHECK(holds(english.html, "<h2 style=\"margin:0 0 8px\">[FIRING] Disk of db-1 is full</h2>"));
  CAF_CHECK(holds(english.html, "/var &lt;95%&gt; &amp; rising"));
  const auto korean = render_notice("slack", {}, disk_notice(), {"ops", language::ko});
  CAF_CHECK_EQUAL(korean.title, "[발생] Disk of db-1 is full");
  CAF_CHECK(holds(korean.text, "*심각도:* 심각"));
  CAF_CHECK(korean.html.empty());
  auto reminder = disk_notice();
  reminder.reason = "repeat";
  CAF_CHECK(render_notice("slack", {}, reminder, {"ops", language::ko}).title == "[발생] 재알림: Disk of db-1 is full");
}

CAF_TEST(own templates take the place of the defaults and HTML follows the text) {
  const auto words = render_notice("email", {"{{severity}}!\nsecond line", "<b> {{alert_message}}", ""}, disk_notice(),
                                   {"ops", language::en});
  CAF_CHECK_EQUAL(words.title, "critical! second line");
  CAF_CHECK_EQUAL(words.text, "<b> /var <95%> & rising");
  CAF_CHECK(holds(words.html, "&lt;b&gt; /var &lt;95%&gt; &amp; rising"));
}

CAF_TEST(a notice without anything still says something) {
  channel::send_notice bare;
  bare.notice_id = "n";
  const auto words = render_notice("slack", {}, bare, {"ops", language::en});
  CAF_CHECK_EQUAL(words.title, "[FIRING] Tobit");
  bare.message = "first line\nsecond";
  CAF_CHECK(render_notice("slack", {}, bare, {"ops", language::en}).title == "[FIRING] first line second");
}

CAF_TEST(what a rule compared is no message but can be asked for) {
  auto notice = disk_notice();
  notice.alerts.at(0).annotations = {{"summary", "Disk of db-1 is full"}};
  const auto values = notice_values(notice, {"ops", language::en});
  CAF_CHECK_EQUAL(values["alert_message"], "");
  CAF_CHECK_EQUAL(values["alerts"][0]["message"], "");
  CAF_CHECK_EQUAL(values["alerts"][0]["values_text"], "used=97");
}
