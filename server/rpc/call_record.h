// Counts one gRPC call in the metrics: its arrival when made, its status and duration when told.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "server/metrics/server_metrics.h"

namespace ddsp::server {

class CallRecord {
 public:
  // `method` ("ddsp.v1.Synthesis/StreamSession") is a constant; the others outlive the record.
  CallRecord(std::string_view method, ServerMetrics& metrics, const Clock& clock)
      : method_(method), metrics_(metrics), clock_(clock), begin_(clock.Now()) {
    metrics_.CallStarted(method_);
  }

  // Once, with the status that the client gets.
  void End(const absl::Status& status) {
    metrics_.CallEnded(method_, absl::StatusCodeToString(status.code()), absl::ToDoubleSeconds(clock_.Now() - begin_));
  }

 private:
  const std::string_view method_;
  ServerMetrics& metrics_;
  const Clock& clock_;
  const absl::Time begin_;
};

}  // namespace ddsp::server
