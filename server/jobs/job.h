// A job: work that a client asks for and some worker does, however often workers, servers and machines die meanwhile.
//
// Values only. What may become of a job is job_transition.h; where jobs are kept is job_store.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ddsp::server {

//   queued --claim--> running --complete--> succeeded
//                     running --fail, lease expired--> retryable --claim--> running
//                     running --fail for good, too many failures--> failed
//   queued, retryable --cancel--> cancelled
//   running --cancel, then the worker's acknowledgement or the end of its lease--> cancelled
// Times decide whether a queued or retryable job can be claimed already (Job::run_time).
enum class JobState { kQueued, kRunning, kRetryable, kSucceeded, kFailed, kCancelled };

std::string_view NameOf(JobState state);  // "QUEUED"
std::optional<JobState> JobStateNamed(std::string_view name);
// Nothing changes a finished job.
bool IsFinished(JobState state);
// A worker may take it once its time has come.
bool IsWaiting(JobState state);

// How far a worker is, as it says itself.
struct JobProgress {
  int64_t done = 0;      // steps, files: whatever the kind counts
  int64_t total = 0;     // 0: not known
  std::string metrics;   // a JSON object of numbers ({"loss": 4.2}); empty: none
  std::string examples;  // listening examples, a JSON array of files in the blob store; empty: none

  bool operator==(const JobProgress&) const = default;
};

// From where another worker can go on.
struct JobCheckpoint {
  int64_t step = 0;
  std::string blob;  // SHA-256 of the checkpoint in the blob store; empty: there is none

  bool operator==(const JobCheckpoint&) const = default;
};

struct Job {
  std::string id;            // "train-4f0c...", unique
  std::string request_id;    // the client's, or one made up: creating twice with one id gives one job
  std::string kind;          // "train"
  std::string display_name;  // for people; may be empty
  std::string spec;          // what to do, as JSON; the store does not look into it
  int64_t priority = 0;      // as niceness: lower goes first

  JobState state = JobState::kQueued;
  int64_t revision = 1;  // rises by one with every change
  absl::Time create_time = absl::UnixEpoch();
  absl::Time update_time = absl::UnixEpoch();
  absl::Time run_time = absl::UnixEpoch();    // not claimed before
  absl::Time start_time = absl::UnixEpoch();  // first claim; epoch: none yet
  absl::Time end_time = absl::UnixEpoch();    // finished; epoch: not yet

  int64_t attempts = 0;  // claims so far
  int64_t failures = 0;  // attempts that failed since a checkpoint last moved forward
  std::string worker;    // who holds or last held it
  std::string lease_id;  // of the last claim: a worker without it is told that its lease is lost
  absl::Time lease_expire_time = absl::UnixEpoch();
  bool cancel_requested = false;

  JobProgress progress;
  JobCheckpoint checkpoint;
  std::string result;  // of a succeeded job, as JSON
  std::string error;   // of the last failed attempt, and of a failed job

  bool operator==(const Job&) const = default;
};

// Whose a job is, and how many that wait they may have.
struct JobOwner {
  std::string tenant;       // empty: nobody was asked
  int64_t max_waiting = 0;  // 0: any number
};

// What a client gives.
struct NewJob {
  std::string request_id;
  std::string kind;
  std::string display_name;
  std::string spec;
  int64_t priority = 0;
  // Not before; the past means at once.
  absl::Time run_time = absl::InfinitePast();
  JobOwner owner{};
};

struct JobLimits {
  size_t max_spec_bytes = 1 << 20;
  size_t max_text_bytes = 32 << 10;  // error, metrics, examples
  size_t max_result_bytes = 1 << 20;
  size_t max_name_bytes = 63;  // kind, display_name, request_id, worker, lease_id
  int64_t max_priority = 100;  // both ways
};

// Errors: INVALID_JOB_REQUEST with one violation for each field that is wrong.
absl::Status Validate(const NewJob& job, const JobLimits& limits = {});
// OK when `value` is UTF-8 without NUL of at most `max_bytes`, as every engine can store. Errors: INVALID_JOB_REQUEST.
absl::Status ValidateText(std::string_view field, std::string_view value, size_t max_bytes);

}  // namespace ddsp::server
