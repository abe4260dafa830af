// A piece of work of one trace: begun, told what happens in it, ended once. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "server/tracing/trace_context.h"

namespace ddsp::server {

struct Attribute {
  std::string_view key;  // a constant
  std::variant<std::string, int64_t, double, bool> value;
};

// What a span comes to.
struct SpanRecord {
  SpanContext context;
  SpanId parent_id{};  // zero: a root
  std::string name;
  absl::Time begin, end;  // of day
  std::vector<Attribute> attributes;
  struct Event {
    absl::Time time;
    std::string_view name;  // a constant
    std::vector<Attribute> attributes;
  };
  std::vector<Event> events;
  int dropped_events = 0;
  bool failed = false;
  std::string error;  // of a failed one
};

class Span {
 public:
  using Now = std::function<absl::Time()>;
  using Done = std::function<void(SpanRecord)>;
  // `record` has its context, parent, name and begin; it goes to `done` at the end.
  Span(SpanRecord record, Now now, Done done)
      : now_(std::move(now)), done_(std::move(done)), record_(std::move(record)) {}
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  const SpanContext context() const {
    const MutexLock lock(&mu_);
    return record_.context;
  }
  void Set(std::string_view key, decltype(Attribute::value) value);
  // The first 128 count.
  void AddEvent(std::string_view name, std::vector<Attribute> attributes = {});
  // Once; what follows changes nothing.
  void End();
  void EndFailed(std::string error);

 private:
  void Finish(bool failed, std::string error);

  const Now now_;
  const Done done_;
  mutable Mutex mu_;
  SpanRecord record_ ABSL_GUARDED_BY(mu_);
  bool over_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::server
