#include "actors/notify/template/notice_template.hpp"

namespace tobit::notify {

namespace {

constexpr std::string_view title_en =
    "[{{status_text}}]{{#reason_text}} {{reason_text}}:{{/reason_text}} {{alert_title}}";

constexpr std::string_view plain_en = R"({{#alert_message}}
{{alert_message}}
{{/alert_message}}
Severity: {{severity_text}}
{{#rule_name}}
Rule: {{rule_name}}
{{/rule_name}}
Time: {{timestamp}}
{{#several}}

{{alerts_total}} alerts:
{{/several}}
{{#alerts}}
- [{{status_text}}] {{title}}{{#labels_text}} ({{labels_text}}){{/labels_text}}{{#started_at}} since {{started_at}}{{/started_at}}
{{/alerts}}
{{#more}}
… and {{more}} more
{{/more}}
{{#runbook_url}}
Runbook: {{runbook_url}}
{{/runbook_url}}
)";

constexpr std::string_view plain_ko = R"({{#alert_message}}
{{alert_message}}
{{/alert_message}}
심각도: {{severity_text}}
{{#rule_name}}
규칙: {{rule_name}}
{{/rule_name}}
시각: {{timestamp}}
{{#several}}

알림 {{alerts_total}}건:
{{/several}}
{{#alerts}}
- [{{status_text}}] {{title}}{{#labels_text}} ({{labels_text}}){{/labels_text}}{{#started_at}} {{started_at}}부터{{/started_at}}
{{/alerts}}
{{#more}}
… 외 {{more}}건
{{/more}}
{{#runbook_url}}
대응 절차: {{runbook_url}}
{{/runbook_url}}
)";

constexpr std::string_view slack_en = R"({{#alert_message}}
{{alert_message}}
{{/alert_message}}
*Severity:* {{severity_text}}{{#rule_name}}   *Rule:* {{rule_name}}{{/rule_name}}   *Time:* {{timestamp}}
{{#alerts}}
• *{{status_text}}* {{title}}{{#labels_text}} `{{labels_text}}`{{/labels_text}}
{{/alerts}}
{{#more}}
… and {{more}} more
{{/more}}
{{#runbook_url}}
<{{runbook_url}}|Runbook>
{{/runbook_url}}
)";

constexpr std::string_view slack_ko = R"({{#alert_message}}
{{alert_message}}
{{/alert_message}}
*심각도:* {{severity_text}}{{#rule_name}}   *규칙:* {{rule_name}}{{/rule_name}}   *시각:* {{timestamp}}
{{#alerts}}
• *{{status_text}}* {{title}}{{#labels_text}} `{{labels_text}}`{{/labels_text}}
{{/alerts}}
{{#more}}
… 외 {{more}}건
{{/more}}
{{#runbook_url}}
<{{runbook_url}}|대응 절차>
{{/runbook_url}}
)";

// Short: a text message is paid for by length.
constexpr std::string_view sms_en =
    "[{{status_text}}] {{alert_title}}{{#severity}} ({{severity_text}}){{/severity}}{{#alert_message}}: "
    "{{alert_message}}{{/alert_message}}";

constexpr std::string_view html_en = R"(<!DOCTYPE html>
<html lang="en"><body style="font-family:sans-serif;color:#222">
<h2 style="margin:0 0 8px">[{{status_text}}] {{alert_title}}</h2>
{{#alert_message}}
<p style="white-space:pre-wrap">{{alert_message}}</p>
{{/alert_message}}
<table cellpadding="4" style="border-collapse:collapse">
<tr><th align="left">Severity</th><td>{{severity_text}}</td></tr>
{{#rule_name}}
<tr><th align="left">Rule</th><td>{{rule_name}}</td></tr>
{{/rule_name}}
<tr><th align="left">Time</th><td>{{timestamp}}</td></tr>
</table>
<ul>
{{#alerts}}
<li><b>{{status_text}}</b> {{title}}{{#labels_text}} <code>{{labels_text}}</code>{{/labels_text}}{{#values_text}} <small>{{values_text}}</small>{{/values_text}}{{#started_at}} since {{started_at}}{{/started_at}}</li>
{{/alerts}}
{{#more}}
<li>… and {{more}} more</li>
{{/more}}
</ul>
{{#runbook_url}}
<p>Runbook: {{runbook_url}}</p>
{{/runbook_url}}
<p style="color:#888;font-size:small">Sent by Tobit, channel {{channel_name}}.</p>
</body></html>
)";

constexpr std::string_view html_ko = R"(<!DOCTYPE html>
<html lang="ko"><body style="font-family:sans-serif;color:#222">
<h2 style="margin:0 0 8px">[{{status_text}}] {{alert_title}}</h2>
{{#alert_message}}
<p style="white-space:pre-wrap">{{alert_message}}</p>
{{/alert_message}}
<table cellpadding="4" style="border-collapse:collapse">
<tr><th align="left">심각도</th><td>{{severity_text}}</td></tr>
{{#rule_name}}
<tr><th align="left">규칙</th><td>{{rule_name}}</td></tr>
{{/rule_name}}
<tr><th align="left">시각</th><td>{{timestamp}}</td></tr>
</table>
<ul>
{{#alerts}}
<li><b>{{status_text}}</b> {{title}}{{#labels_text}} <code>{{labels_text}}</code>{{/labels_text}}{{#values_text}} <small>{{values_text}}</small>{{/values_text}}{{#started_at}} {{started_at}}부터{{/started_at}}</li>
{{/alerts}}
{{#more}}
<li>… 외 {{more}}건</li>
{{/more}}
</ul>
{{#runbook_url}}
<p>대응 절차: {{runbook_url}}</p>
{{/runbook_url}}
<p style="color:#888;font-size:small">Tobit이 채널 {{channel_name}}(으)로 보냈습니다.</p>
</body></html>
)";

} // namespace

/// The words come with the values, so that both languages share one form.
std::string_view default_title(language) noexcept { return title_en; }

std::string_view default_text(std::string_view type, language speaks) noexcept {
  const bool korean = speaks == language::ko;
  if (type == "sms") return sms_en;
  if (type == "slack") return korean ? slack_ko : slack_en;
  return korean ? plain_ko : plain_en;
}

std::string_view default_html(language speaks) noexcept { return speaks == language::ko ? html_ko : html_en; }

} // namespace tobit::notify
