// Begins the spans that are worth it: those whose caller traces, and one of so many others. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "server/tracing/span.h"

namespace ddsp::server {

class Tracer {
 public:
  struct Options {
    // Share of calls without a traced caller that are traced: 0..1.
    double ratio = 0.001;
  };
  // `done` takes what has ended, at once: it must not block. `clock` outlives the spans; its zero is taken to be the
  // time of day at construction.
  Tracer(const Options& options, Span::Done done, const Clock& clock);

  // `parent`, where there is one, decides by its flag. Null: not traced.
  std::shared_ptr<Span> Begin(std::string name, const std::optional<SpanContext>& parent) const;

 private:
  absl::Time NowOfDay() const { return clock_.Now() + offset_; }

  const Options options_;
  const Span::Done done_;
  const Clock& clock_;
  const absl::Duration offset_;
};

}  // namespace ddsp::server
