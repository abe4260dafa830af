#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "ddsp/v1/jobs.pb.h"
#include "worker/jobs/blob_depot.h"
#include "worker/jobs/job_reporter.h"
#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

// What a runner works with; all of it outlives the run.
struct JobContext {
  const v1::Job& job;            // as it was claimed: with the checkpoint to go on from, if there is one
  const std::string& workspace;  // an empty folder, removed after the run
  BlobDepot& blobs;
  JobReporter& report;
  StopToken& stop;
};

// Does jobs of one kind. Stateless: everything of a run is in its context.
class JobRunner {
 public:
  virtual ~JobRunner() = default;
  // Works until the job is done or context.stop is asked, and then returns within seconds: for a shutdown with its last
  // checkpoint uploaded and reported. Files of the result are uploaded.
  // Errors: CANCELLED after a stop; those of IsPermanent() where another attempt would fail too; any other where the
  // machine is to blame.
  virtual absl::StatusOr<v1::JobResult> Run(const JobContext& context) const = 0;
};

}  // namespace ddsp::worker
