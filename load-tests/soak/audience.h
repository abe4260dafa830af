// Live streams as they should be, beside all others: what they hear is measured.
//
// Each plays for a while and is followed by another, of another voice, rate and codec.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "load-tests/live_call.h"
#include "load-tests/paced_stream.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

class Audience {
 public:
  struct Options {
    int streams = 16;
    uint64_t seed = 1;
    double shortest_seconds = 20, longest_seconds = 90;  // of a stream
  };
  struct Figures {
    int64_t streams = 0;  // that have ended
    int64_t failed = 0;
    std::string first_error;
    int64_t blocks = 0, lost_samples = 0;
    std::vector<double> latencies_ms;
  };

  // `place` outlives it.
  Audience(const Place& place, const Options& options);
  // Stops.
  ~Audience();

  // Lets every stream play to its end.
  void Stop();
  // Of streams that have ended since the last call.
  Figures Take();

 private:
  struct Seat {
    std::unique_ptr<loadtest::PacedStream> stream;
    bool begun = false;
  };
  void Run();
  void Attend(Seat& seat, std::chrono::steady_clock::time_point now);
  std::unique_ptr<loadtest::PacedStream> Open();
  void Count(loadtest::PacedStream& stream);

  const Place& place_;
  const Options options_;
  loadtest::ClientLoop loop_;
  std::minstd_rand random_;  // of the thread
  std::atomic<bool> stopped_ = false;
  Mutex mu_;
  Figures figures_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;  // last: it uses the rest
};

}  // namespace ddsp::soak
