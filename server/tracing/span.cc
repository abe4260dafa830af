#include "server/tracing/span.h"

namespace ddsp::server {
namespace {

constexpr size_t kMostEvents = 128;

}  // namespace

void Span::Set(std::string_view key, decltype(Attribute::value) value) {
  const MutexLock lock(&mu_);
  if (!over_) record_.attributes.push_back({key, std::move(value)});
}

void Span::AddEvent(std::string_view name, std::vector<Attribute> attributes) {
  const absl::Time now = now_();
  const MutexLock lock(&mu_);
  if (over_) return;
  if (record_.events.size() >= kMostEvents) {
    ++record_.dropped_events;
    return;
  }
  record_.events.push_back({now, name, std::move(attributes)});
}

void Span::End() { Finish(false, ""); }
void Span::EndFailed(std::string error) { Finish(true, std::move(error)); }

void Span::Finish(bool failed, std::string error) {
  const absl::Time now = now_();
  SpanRecord record;
  {
    const MutexLock lock(&mu_);
    if (over_) return;
    over_ = true;
    record_.end = now;
    record_.failed = failed;
    record_.error = std::move(error);
    record = std::move(record_);
    record_.context = record.context;
  }
  done_(std::move(record));
}

}  // namespace ddsp::server
