#include "server/tracing/otlp_message.h"

#include <variant>

namespace ddsp::server {
namespace {

namespace otlp = opentelemetry::proto;

// The release whose names the attributes follow; those of calls are not final there.
constexpr char kSchema[] = "https://opentelemetry.io/schemas/1.37.0";
constexpr uint32_t kSampledFlag = 1;

template <size_t N>
std::string Bytes(const std::array<uint8_t, N>& id) {
  return std::string(id.begin(), id.end());
}

uint64_t Nanos(absl::Time time) { return static_cast<uint64_t>(absl::ToUnixNanos(time)); }

void Set(const std::string& text, otlp::common::v1::AnyValue* value) { value->set_string_value(text); }
void Set(int64_t number, otlp::common::v1::AnyValue* value) { value->set_int_value(number); }
void Set(double number, otlp::common::v1::AnyValue* value) { value->set_double_value(number); }
void Set(bool flag, otlp::common::v1::AnyValue* value) { value->set_bool_value(flag); }

template <typename Message>
void AddTo(const Attribute& attribute, Message* message) {
  otlp::common::v1::KeyValue* pair = message->add_attributes();
  pair->set_key(std::string(attribute.key));
  std::visit([&](const auto& value) { Set(value, pair->mutable_value()); }, attribute.value);
}

void ToMessage(const SpanRecord& record, otlp::trace::v1::Span* span) {
  span->set_trace_id(Bytes(record.context.trace_id));
  span->set_span_id(Bytes(record.context.span_id));
  span->set_trace_state(record.context.state);
  if (record.parent_id != SpanId{}) span->set_parent_span_id(Bytes(record.parent_id));
  span->set_flags(kSampledFlag);
  span->set_name(record.name);
  span->set_kind(otlp::trace::v1::Span::SPAN_KIND_SERVER);
  span->set_start_time_unix_nano(Nanos(record.begin));
  span->set_end_time_unix_nano(Nanos(record.end));
  for (const Attribute& attribute : record.attributes) AddTo(attribute, span);
  for (const SpanRecord::Event& event : record.events) {
    otlp::trace::v1::Span::Event* message = span->add_events();
    message->set_time_unix_nano(Nanos(event.time));
    message->set_name(std::string(event.name));
    for (const Attribute& attribute : event.attributes) AddTo(attribute, message);
  }
  span->set_dropped_events_count(static_cast<uint32_t>(record.dropped_events));
  if (!record.failed) return;
  span->mutable_status()->set_code(otlp::trace::v1::Status::STATUS_CODE_ERROR);
  span->mutable_status()->set_message(record.error);
}

}  // namespace

otlp::collector::trace::v1::ExportTraceServiceRequest ToOtlp(absl::Span<const SpanRecord> spans,
                                                             const TraceSource& source) {
  otlp::collector::trace::v1::ExportTraceServiceRequest request;
  otlp::trace::v1::ResourceSpans* resource = request.add_resource_spans();
  AddTo({"service.name", source.service}, resource->mutable_resource());
  if (!source.version.empty()) AddTo({"service.version", source.version}, resource->mutable_resource());
  if (!source.instance.empty()) AddTo({"service.instance.id", source.instance}, resource->mutable_resource());
  otlp::trace::v1::ScopeSpans* scope = resource->add_scope_spans();
  scope->mutable_scope()->set_name("ddsp.server");
  scope->set_schema_url(kSchema);
  for (const SpanRecord& span : spans) ToMessage(span, scope->add_spans());
  return request;
}

}  // namespace ddsp::server
