// A connection that gets stuck when it is told to: what lies between a worker and its server, so that a test knows
// where in a transfer the worker is.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "tests/support/loopback.h"

namespace ddsp::testing {

class StallProxy {
 public:
  // Forwards to a port of this host.
  explicit StallProxy(int target_port);
  // Ends all connections.
  ~StallProxy();
  StallProxy(const StallProxy&) = delete;
  StallProxy& operator=(const StallProxy&) = delete;

  std::string address() const;

  // After so many more bytes towards the server, or from it, nothing more passes either way.
  void StallAfterSent(int64_t bytes);
  void StallAfterReceived(int64_t bytes);
  bool stalled() const { return stalled_; }
  // Lets everything pass that waits, and all that follows.
  void Pass();

 private:
  struct Direction {
    std::atomic<int64_t> allowance;
  };
  void Accept();
  void Forward(int from, int to, Direction* direction);

  const int target_port_;
  LoopbackListener listener_;
  Direction sent_, received_;
  std::atomic<bool> stalled_ = false, closing_ = false;
  Mutex mu_;
  std::vector<int> sockets_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mu_);
  std::thread acceptor_;
};

}  // namespace ddsp::testing
