// The sessions that are alive: lets them in, finds them for house-keeping, waits for their end. Thread-safe.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/memory/memory_budget.h"
#include "server/metrics/server_metrics.h"
#include "server/registry/registry.h"
#include "server/scheduler/device_load.h"
#include "server/session/session_host.h"

namespace ddsp::server {

class Session;

class SessionRoster : public SessionHost {
 public:
  struct Options {
    // Sessions at once, over all models; each model has no more slots than this either.
    int max_sessions = 256;
    // Streams that may wait with their config, beyond the sessions.
    int max_unconfigured = 64;
    // Told to who is refused for lack of slots.
    absl::Duration retry_delay = absl::Seconds(1);
    // Where the buffers of sessions are taken from, each as large as `limits` let it grow; null: nobody counts.
    MemoryBudget* memory = nullptr;
    SessionLimits limits = {};
  };
  // All outlive the roster.
  SessionRoster(const Options& options, const Registry& registry, ServerMetrics& metrics, DeviceLoad& load);
  // Every session has gone, and every slot has come back: otherwise the program ends here.
  ~SessionRoster() override;

  // A stream has been opened, its config is still to come. Errors: SESSION_SLOTS_EXHAUSTED, SERVER_DRAINING.
  absl::Status Welcome() const;
  void Add(const std::shared_ptr<Session>& session);
  void Remove(const Session* session);

  // Errors: MODEL_NOT_FOUND, MODEL_NOT_READY, SERVER_DRAINING, and SESSION_SLOTS_EXHAUSTED when all slots are taken or
  // one more REALTIME stream would cost the others their latency.
  absl::StatusOr<SlotLease> Admit(const SessionPlan& plan) override;

  // From now on nobody is let in, and everybody is told.
  void Drain();
  std::vector<std::shared_ptr<Session>> Sessions() const;
  // Ends every session with `error`.
  void EndAll(const absl::Status& error);
  void CheckTimeouts(absl::Time now);
  // Sessions that are load (Session::IsLoad).
  int live() const { return static_cast<int>(LiveSessions().size()); }
  // Sends the `count` of them away that came last, with SERVER_OVERLOADED.
  void Shed(int count);

  // Slots that were ever given to sessions, and those that came back: equal when nobody is here.
  struct Ledger {
    int64_t opened = 0, closed = 0;
  };
  Ledger ledger() const;

  // Streams that have not been removed.
  int size() const;
  // Waits until there are none, or until `timeout` has passed; returns whether there are none.
  bool WaitUntilEmpty(absl::Duration timeout);

 private:
  absl::Status RefuseDraining() const;
  absl::Status RefuseFull(const std::string& model, int slots) const;
  absl::Status RefuseLoad(const std::string& model, const std::string& why) const;
  absl::Status OverloadedError() const;
  std::vector<std::shared_ptr<Session>> LiveSessions() const;
  // The voice that the plan asks for, held in place.
  absl::StatusOr<VoicePin> Pin(const SessionPlan& plan) const;
  bool TryCount();
  void Uncount();

  const Options options_;
  const Registry& registry_;
  ServerMetrics& metrics_;
  DeviceLoad& load_;

  mutable Mutex mu_;
  CondVar emptied_;
  std::unordered_map<const Session*, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mu_);
  Ledger ledger_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::server
