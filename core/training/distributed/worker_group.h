// The workers, processes on one machine or several, that train one model together.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ddsp::training {

// All workers make the same calls in the same order; each returns when all have made it. One thread at a time.
//
// Tensors are contiguous, on the CPU, of one size and type everywhere. Every worker ends up with the same bits, and as
// many workers with the same numbers give the same ones in every run. Errors: UNAVAILABLE when a worker was lost or is
// silent for longer than the timeout; nothing can be done with the group after one.
class WorkerGroup {
 public:
  virtual ~WorkerGroup() = default;

  virtual int rank() const = 0;  // 0 .. workers() - 1
  virtual int workers() const = 0;

  // Sums `values` over the workers, in place.
  virtual absl::Status Sum(at::Tensor values) = 0;
  // Overwrites `values` by rank 0's.
  virtual absl::Status CopyFromFirst(at::Tensor values) = 0;
};

struct JoinOptions {
  int workers = 2;  // all together
  int rank = 0;
  // Where rank 0 listens; the others knock until it does. Port 0, for rank 0: any that is free.
  std::string host = "127.0.0.1";
  int port = 0;
  absl::Duration join_timeout = absl::Minutes(10);  // until all are there
  absl::Duration timeout = absl::Minutes(5);        // of each call afterwards; a worker that dies is noticed at once
  // Called as soon as rank 0 listens on `port`, before workers connect to each other: rank 0 starts the others here,
  // others prepare what they could not before. An error ends the join here, and at the others after the timeout.
  std::function<absl::Status(int port)> prepare;
};

// Through c10d and Gloo, over TCP. Errors: INVALID_ARGUMENT, UNAVAILABLE (nobody listens, not all came in time, the
// port is taken), those of `prepare`, UNIMPLEMENTED where LibTorch was built without them.
absl::StatusOr<std::unique_ptr<WorkerGroup>> JoinWorkers(const JoinOptions& options);

// Whether it is so for any worker.
absl::StatusOr<bool> AnyWorker(WorkerGroup& group, bool here);

// Errors: FAILED_PRECONDITION, at every worker, unless rank 0's text is everyone's. `what` says what it describes.
absl::Status CheckSame(WorkerGroup& group, const std::string& what, const std::string& text);

}  // namespace ddsp::training
