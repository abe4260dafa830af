#include "server/tracing/trace_context.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

constexpr size_t kTraceparent = 55;
constexpr uint8_t kSampled = 1;

template <size_t N>
bool ReadHex(std::string_view text, std::array<uint8_t, N>* bytes) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (size_t i = 0; i < N; ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*bytes)[i] = static_cast<uint8_t>(16 * high + low);
  }
  return true;
}

template <size_t N>
bool IsZero(const std::array<uint8_t, N>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

template <size_t N>
std::string Hex(const std::array<uint8_t, N>& bytes) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

std::optional<SpanContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kTraceparent || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  SpanContext context;
  std::array<uint8_t, 1> version{}, flags{};
  if (!ReadHex(header.substr(0, 2), &version) || !ReadHex(header.substr(3, 32), &context.trace_id) ||
      !ReadHex(header.substr(36, 16), &context.span_id) || !ReadHex(header.substr(53, 2), &flags)) {
    return std::nullopt;
  }
  // A later version may say more, after another dash; version 255 is forbidden.
  if (version[0] == 0xff || (version[0] == 0 && header.size() > kTraceparent)) return std::nullopt;
  if (header.size() > kTraceparent && header[kTraceparent] != '-') return std::nullopt;
  if (IsZero(context.trace_id) || IsZero(context.span_id)) return std::nullopt;
  context.sampled = (flags[0] & kSampled) != 0;
  return context;
}

std::string ToTraceparent(const SpanContext& context) {
  return absl::StrCat("00-", Hex(context.trace_id), "-", Hex(context.span_id), context.sampled ? "-01" : "-00");
}

std::optional<SpanContext> ParseGrpcTraceBin(std::string_view bytes) {
  constexpr size_t kTraceField = 1, kSpanField = 18, kOptionsField = 27, kSize = 29;
  if (bytes.size() != kSize || bytes[0] != 0 || bytes[kTraceField] != 0 || bytes[kSpanField] != 1 ||
      bytes[kOptionsField] != 2) {
    return std::nullopt;
  }
  SpanContext context;
  std::copy_n(bytes.begin() + kTraceField + 1, context.trace_id.size(), context.trace_id.begin());
  std::copy_n(bytes.begin() + kSpanField + 1, context.span_id.size(), context.span_id.begin());
  context.sampled = (static_cast<uint8_t>(bytes[kOptionsField + 1]) & kSampled) != 0;
  if (IsZero(context.trace_id) || IsZero(context.span_id)) return std::nullopt;
  return context;
}

std::string HexOf(const TraceId& id) { return Hex(id); }
std::string HexOf(const SpanId& id) { return Hex(id); }

}  // namespace ddsp::server
