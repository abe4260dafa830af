// What happens to a result before a job succeeds with it.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/jobs/job.h"

namespace ddsp::server {

// Makes a trained voice available: assembles its files, tests it, gives it a version, serves it.
class ResultPublisher {
 public:
  // Prolongs the lease of the worker whose result it is. Errors: LEASE_LOST, and nothing may be published any more;
  // JOB_STORE_UNAVAILABLE.
  using RenewLease = std::function<absl::Status()>;

  virtual ~ResultPublisher() = default;

  // Returns `result` with the name of the published voice. `job` is running, its lease was held a moment ago; asks
  // `renew` again before every step that takes seconds and right before the one that cannot be undone.
  // A result that has been published before (the server died, or the worker's answer was lost) is found, not published
  // again. Takes seconds and blocks; one call at a time.
  // Errors: see FailsForGood(); any other leaves nothing behind, and the worker tries again.
  virtual absl::StatusOr<v1::JobResult> Publish(const Job& job, const v1::JobResult& result,
                                                const RenewLease& renew) = 0;
};

// Whether an error of Publish() says that the result itself is unfit, so that another attempt would fail as well:
// INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, ALREADY_EXISTS, DATA_LOSS, UNIMPLEMENTED.
bool FailsForGood(const absl::Status& error);

}  // namespace ddsp::server
