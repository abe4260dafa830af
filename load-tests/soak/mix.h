// Clients of all kinds at once, drawn at random, one after the other on each of a number of threads.
//
// Which client comes as the n-th, and with what chance, is a function of the seed. The first ones are one of each kind.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "load-tests/soak/scenario.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

// How a scenario's visits went.
struct Tally {
  int64_t visits = 0;
  int64_t unexpected = 0;
  std::string first_unexpected{};
  double longest_seconds = 0;
};

class Mix {
 public:
  struct Options {
    int clients = 24;
    uint64_t seed = 1;
    double longest_pause = 1;  // s, between two visits of a thread
    // Told of each end that was not expected, one at a time.
    std::function<void(const std::string&)> say = [](const std::string&) {};
  };
  // `place` outlives it.
  Mix(const Place& place, Scenarios scenarios, const Options& options);
  // Stops.
  ~Mix();

  // Lets visits end that are under way; but no kind goes without one.
  void Stop();

  std::map<std::string, Tally> tallies() const;

 private:
  struct Turn {
    const Scenario* scenario;
    uint64_t seed;
  };
  void Run();
  // Null once it is over.
  Turn Draw();
  void Count(const Turn& turn, const absl::Status& status, double seconds);

  const Place& place_;
  const Scenarios scenarios_;
  const Options options_;
  mutable Mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  std::vector<size_t> first_round_ ABSL_GUARDED_BY(mu_);  // that have not come
  std::discrete_distribution<size_t> weights_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Tally> tallies_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace ddsp::soak
