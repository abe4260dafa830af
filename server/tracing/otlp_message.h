// Spans as OTLP carries them.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "server/tracing/span.h"

namespace ddsp::server {

// Who sends: attributes of the resource.
struct TraceSource {
  std::string service = "ddsp-server", version, instance;
};

opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest ToOtlp(absl::Span<const SpanRecord> spans,
                                                                             const TraceSource& source);

}  // namespace ddsp::server
