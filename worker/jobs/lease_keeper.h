// Holds the lease of a job while the job is worked on: its thread, ddsp-lease, sends the heartbeats and hears from
// their answers when to stop.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "ddsp/v1/jobs.pb.h"
#include "worker/jobs/job_news.h"
#include "worker/jobs/job_reporter.h"
#include "worker/jobs/job_server.h"
#include "worker/jobs/lease_timer.h"
#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

class LeaseKeeper : public JobReporter {
 public:
  struct Options {
    const Clock* clock = &Clock::Steady();
    absl::Time claimed;                                // when the claim was sent
    std::function<void()> pulse;                       // called at every heartbeat; may be empty
    std::function<void(const std::string& line)> log;  // gets every line too; may be empty
  };
  // `server` and `stop` outlive this. `stop` is asked when the job is cancelled, or its lease lost: because the server
  // says so, or because it has not answered for as long as the lease lasts.
  LeaseKeeper(JobServer& server, const v1::LeasedJob& leased, StopToken& stop, Options options);
  // Ends the heartbeats.
  ~LeaseKeeper() override;

  void SetProgress(int64_t done, int64_t total) override;
  void SetMetric(const std::string& name, double value) override;
  void SetCheckpoint(int64_t step, const std::string& sha256) override;
  void AddOutput(const std::string& sha256) override;
  void AddExample(const v1::JobFile& file) override;
  void Say(const std::string& line) override;

  // Sends what is left to tell, and waits until the server has heard it: false if it has not within `timeout`, or the
  // lease is lost.
  bool Flush(absl::Duration timeout);
  v1::JobProgress progress() const;

 private:
  void Work();
  // Sends one heartbeat.
  void Beat() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Answer(const absl::StatusOr<v1::HeartbeatResponse>& response, absl::Time sent)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Lose(const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddLine(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  JobServer& server_;
  const std::string job_, lease_id_;
  StopToken& stop_;
  const Options options_;

  mutable Mutex mu_;
  CondVar changed_;
  JobNews news_ ABSL_GUARDED_BY(mu_);
  LeaseTimer timer_ ABSL_GUARDED_BY(mu_);
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;  // somebody waits in Flush()
  bool lost_ ABSL_GUARDED_BY(mu_) = false;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ddsp::worker
