#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/sdk/server_address.h"
#include "worker/jobs/claim_policy.h"

namespace ddsp::worker {

// What an operator decides.
struct WorkerOptions {
  client::ServerAddress server;
  std::vector<std::string> kinds;  // of jobs; empty: all that the worker knows
  std::string name;                // for people; empty: host:pid
  std::string work_dir;            // for the files of jobs, removed after each; several workers may share it
  std::string health_file;         // written at least every quarter of a minute while the worker lives; empty: none
  ClaimRules claim;
  // Between checkpoints of a training, and between its listening examples. Batches of files save every second at least.
  absl::Duration checkpoint_interval = absl::Seconds(10);
  absl::Duration example_interval = absl::Minutes(1);
  // After a signal: time to save and to hand the job back, before the worker leaves without saving.
  absl::Duration grace = absl::Seconds(20);
};

}  // namespace ddsp::worker
