// Where a span stands in a trace, and how calls carry it: W3C's `traceparent`, and the older `grpc-trace-bin`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ddsp::server {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

struct SpanContext {
  TraceId trace_id{};
  SpanId span_id{};
  bool sampled = false;
  std::string state;  // W3C tracestate, passed on as it is

  friend bool operator==(const SpanContext&, const SpanContext&) = default;
};

// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"; nullopt for what is none: it is then as if there were
// none.
std::optional<SpanContext> ParseTraceparent(std::string_view header);
std::string ToTraceparent(const SpanContext& context);

// Version 0: trace id, span id and options, each after its field's number.
std::optional<SpanContext> ParseGrpcTraceBin(std::string_view bytes);

// Lower case, two digits a byte.
std::string HexOf(const TraceId& id);
std::string HexOf(const SpanId& id);

}  // namespace ddsp::server
