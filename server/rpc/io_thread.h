// The thread through which gRPC speaks: brings what the servers' completion queues complete.
//
// It rests a moment after each round, and the longer the more calls there are: what arrives meanwhile costs one wake
// together, not one each. The echo of 256 paced streams takes six tenths of what it takes on gRPC's callback API, whose
// two polling threads hand each other every event (`transport_benchmark`, benchmarks/README.md).
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::server {

// How long to rest between rounds while `calls` are live: not at all for a few, whose messages hardly ever come
// together, a millisecond for a hundred, two at most.
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
  // Returns whether the queue is shut down and empty.
  bool Drain(grpc::CompletionQueue* queue, int empty_polls);
  // Waits a moment for the first thing.
  void Wait();

  std::vector<grpc::CompletionQueue*> queues_;  // those that are not shut down
  const std::function<int()> calls_;
  int completed_ = 0;  // in the last round
  std::thread thread_;
};

}  // namespace ddsp::server
