// The queue between sessions and the device workers: who is ready, who waits, who wakes whom.
//
// Of the workers that have nothing to do, one leads: it alone watches the queue, asleep until the tick is over. Adding
// to a tick that is watched wakes nobody, and so does adding while all workers step.
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/scheduler/device_load.h"
#include "server/scheduler/ready_queue.h"

namespace ddsp::server {

class StreamScheduler {
 public:
  // Both outlive the scheduler.
  StreamScheduler(const BatchFormer::Options& options, const DeviceLoad& load, const Clock& clock);

  void Submit(ResetTicket ticket);
  void Submit(HopTicket ticket);

  // Waits for work; false after Stop(). Called by the device workers, each with its own `work`, whose memory is reused.
  bool Next(DeviceWork* work);
  // Tickets that were not taken are dropped.
  void Stop();

  // Tickets that wait.
  int waiting() const;

 private:
  // Something was added that may not wait beyond `latest`.
  void WakeFor(absl::Time latest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeFollower() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Lead(absl::Time until, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const DeviceLoad& load_;
  const Clock& clock_;

  mutable Mutex mu_;
  CondVar leader_, followers_;
  ReadyQueue queue_ ABSL_GUARDED_BY(mu_);
  bool led_ ABSL_GUARDED_BY(mu_) = false;  // a worker waits for the queue
  absl::Time lead_until_ ABSL_GUARDED_BY(mu_);
  int waiting_followers_ ABSL_GUARDED_BY(mu_) = 0;  // workers that wait to lead
  // Was woken and has not come yet.
  bool leader_called_ ABSL_GUARDED_BY(mu_) = false, follower_called_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::server
