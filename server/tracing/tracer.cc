#include "server/tracing/tracer.h"

#include <random>
#include <utility>

#include "absl/time/clock.h"

namespace ddsp::server {
namespace {

std::mt19937_64& Dice() {
  thread_local std::mt19937_64 dice([] {
    std::random_device random;
    return (uint64_t{random()} << 32) | random();
  }());
  return dice;
}

// Never zero, which stands for none.
template <typename Id>
Id NewId() {
  Id id;
  for (size_t at = 0; at < id.size(); at += sizeof(uint64_t)) {
    const uint64_t word = Dice()() | 1;
    for (size_t i = 0; i < sizeof word; ++i) id[at + i] = static_cast<uint8_t>(word >> (8 * i));
  }
  return id;
}

}  // namespace

Tracer::Tracer(const Options& options, Span::Done done, const Clock& clock)
    : options_(options), done_(std::move(done)), clock_(clock), offset_(absl::Now() - clock.Now()) {}

std::shared_ptr<Span> Tracer::Begin(std::string name, const std::optional<SpanContext>& parent) const {
  const bool sampled =
      parent.has_value() ? parent->sampled : std::uniform_real_distribution<double>()(Dice()) < options_.ratio;
  if (!sampled) return nullptr;
  SpanRecord record;
  record.name = std::move(name);
  record.begin = NowOfDay();
  if (parent.has_value()) {
    record.context = *parent;
    record.parent_id = parent->span_id;
  } else {
    record.context.trace_id = NewId<TraceId>();
  }
  record.context.span_id = NewId<SpanId>();
  record.context.sampled = true;
  return std::make_shared<Span>(
      std::move(record), [this] { return NowOfDay(); }, done_);
}

}  // namespace ddsp::server
