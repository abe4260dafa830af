// What requests of this protocol took, by model and version, since the server's start. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "inference/grpc_service.pb.h"

namespace ddsp::server::kserve {

// Of one request, one after the other.
struct InferTimes {
  absl::Duration input;   // tensors were read
  absl::Duration queue;   // waited for the requests before it, and for credit
  absl::Duration infer;   // from when the session had its first samples until its answer was due
  absl::Duration output;  // the response was made

  absl::Duration total() const { return input + queue + infer + output; }
};

class InferStatistics {
 public:
  void Succeeded(const std::string& model, int64_t version, const InferTimes& times, absl::Time time_of_day);
  void Failed(const std::string& model, int64_t version, absl::Duration after);

  // All zeros for a version that nobody asked.
  inference::ModelStatistics Of(const std::string& model, int64_t version) const;

 private:
  struct Sum {
    uint64_t count = 0;
    absl::Duration time;

    void Add(absl::Duration one) { ++count, time += one; }
    void Fill(inference::StatisticDuration* wire) const;
  };
  struct Sums {
    Sum success, fail, queue, input, infer, output;
    absl::Time last = absl::UnixEpoch();
  };

  mutable Mutex mu_;
  std::map<std::pair<std::string, int64_t>, Sums> sums_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server::kserve
