// The thread through which gRPC speaks: brings what the servers' completion queues complete.
//
// It rests a moment after each round, and the longer the more calls there are: what arrives meanwhile costs one wake
// together, not one each. With 96 streams of 50 messages a second each way that takes 0.10 to 0.13 of a core where the
// callback API, whose two polling threads hand each other every event, takes 0.24 (`transport_benchmark`).
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::server {

// How long to rest between rounds while `calls` are live: not at all for a few, whose messages hardly ever come
// together, up to a millisecond for a hundred.
absl::Duration RestBetweenRounds(int calls);

class IoThread {
 public:
  // All queues outlive the thread; `calls` tells how many calls are live. It is the only one to poll in the process:
  // another thread that does would take its wakes.
  IoThread(std::vector<grpc::CompletionQueue*> queues, std::function<int()> calls);
  // Waits until each queue has been shut down and is empty.
  ~IoThread();

 private:
  void Run();
  // Everything that is complete. Returns whether there was anything.
  bool Round();
  // Waits a moment for the first thing.
  void Wait();

  std::vector<grpc::CompletionQueue*> queues_;  // those that are not shut down
  const std::function<int()> calls_;
  std::thread thread_;
};

}  // namespace ddsp::server
