// A server of jobs in this process: answers as it is told to and remembers what it heard.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "worker/jobs/blob_depot.h"
#include "worker/jobs/job_reporter.h"
#include "worker/jobs/job_server.h"

namespace ddsp::testing {

// As a server says it.
absl::Status ReasonedError(absl::StatusCode code, const std::string& reason);
absl::Status LeaseLostError();

// A job with a lease, named "jobs/<name>".
v1::LeasedJob MakeLeasedJob(const std::string& name, const v1::JobSpec& spec = {},
                            absl::Duration lease = absl::Seconds(10), absl::Duration heartbeat = absl::Milliseconds(5));

class FakeJobServer : public worker::JobServer {
 public:
  absl::StatusOr<std::vector<v1::LeasedJob>> Claim(const v1::ClaimJobsRequest& request, absl::Duration) override;
  absl::StatusOr<v1::Job> Get(const std::string& name, absl::Duration) override;
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request, absl::Duration) override;
  absl::StatusOr<v1::Job> Complete(const v1::CompleteJobRequest& request, absl::Duration) override;
  absl::StatusOr<v1::Job> Fail(const v1::FailJobRequest& request, absl::Duration) override;
  absl::StatusOr<v1::Job> Release(const v1::ReleaseJobRequest& request, absl::Duration) override;

  // Claims give these, one after the other, then nothing.
  std::deque<v1::LeasedJob> waiting;
  // What Get() says.
  v1::Job job;
  // Answers in turn; the last one stays.
  std::deque<absl::Status> claim_answers, heartbeat_answers, farewell_answers;
  bool cancel = false;
  // Called at every heartbeat, without a lock.
  std::function<void()> on_heartbeat;

  // What was heard, in order; of heartbeats those that were answered.
  std::vector<v1::ClaimJobsRequest> claims() const;
  std::vector<v1::HeartbeatRequest> heartbeats() const;
  std::vector<std::string> log() const;
  // "complete", "fail: error", "fail for good: error", "release", once for each call.
  std::vector<std::string> farewells() const;
  v1::JobResult result() const;
  // Waits until so many heartbeats were answered.
  void AwaitHeartbeats(size_t count);

 private:
  static absl::Status Next(std::deque<absl::Status>* answers);
  absl::StatusOr<v1::Job> Farewell(std::string said);

  mutable Mutex mu_;
  CondVar changed_;
  std::vector<v1::ClaimJobsRequest> claims_;
  std::vector<v1::HeartbeatRequest> heartbeats_;
  std::vector<std::string> farewells_;
  v1::JobResult result_;
};

// Blobs in memory, named by the SHA-256 of their bytes.
class FakeBlobDepot : public worker::BlobDepot {
 public:
  absl::Status Fetch(const std::string& sha256, const std::string& target) override;
  absl::StatusOr<v1::JobFile> Store(const std::string& source, const std::string& path) override;

  // A blob of these bytes as a file called `path`.
  v1::JobFile Add(const std::string& path, const std::string& bytes);
  std::string BytesOf(const std::string& sha256) const;
  int64_t fetches() const;
  // What the next calls of Store() answer with, before it works.
  std::deque<absl::Status> store_answers;

 private:
  mutable Mutex mu_;
  std::map<std::string, std::string> blobs_;
  int64_t fetches_ = 0;
};

// Remembers what a job reports.
class FakeReporter : public worker::JobReporter {
 public:
  void SetProgress(int64_t done, int64_t total) override;
  void SetMetric(const std::string& name, double value) override;
  void SetCheckpoint(int64_t step, const std::string& sha256) override;
  void AddOutput(const std::string& sha256) override;
  void AddExample(const v1::JobFile& file) override;
  void Say(const std::string& line) override;

  v1::JobProgress progress() const;
  std::vector<v1::JobCheckpoint> checkpoints() const;
  std::vector<std::string> outputs() const;
  std::vector<std::string> lines() const;

 private:
  mutable Mutex mu_;
  v1::JobProgress progress_;
  std::vector<v1::JobCheckpoint> checkpoints_;
  std::vector<std::string> outputs_;
  std::vector<std::string> lines_;
};

}  // namespace ddsp::testing
