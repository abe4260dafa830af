#include "server/session/session_roster.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/session/session.h"

namespace ddsp::server {

SessionRoster::SessionRoster(const Options& options, const Registry& registry, ServerMetrics& metrics, DeviceLoad& load)
    : options_(options), registry_(registry), metrics_(metrics), load_(load) {}

SessionRoster::~SessionRoster() {
  MutexLock lock(&mu_);
  DDSP_CHECK(ledger_.opened == ledger_.closed, "every slot that was given to a session came back");
}

absl::Status SessionRoster::RefuseDraining() const {
  return WithRetry(MakeError(Reason::kServerDraining, "this server is draining; another may answer"),
                   absl::ZeroDuration());
}

absl::Status SessionRoster::RefuseFull(const std::string& model, int slots) const {
  return WithRetry(MakeError(Reason::kSessionSlotsExhausted, absl::StrCat("all ", slots, " session slots are taken"),
                             {{"slots", absl::StrCat(slots)}, {"model", model}}),
                   options_.retry_delay);
}

absl::Status SessionRoster::RefuseLoad(const std::string& model, const std::string& why) const {
  const Headroom headroom = load_.headroom();
  return WithRetry(MakeError(Reason::kSessionSlotsExhausted, absl::StrCat("no room for another live session: ", why),
                             {{"model", model},
                              {"busy", absl::StrFormat("%.2f", headroom.busy)},
                              {"demand", absl::StrFormat("%.2f", headroom.demand)},
                              {"cpu", absl::StrFormat("%.2f", headroom.cpu)}}),
                   options_.retry_delay);
}

absl::Status SessionRoster::OverloadedError() const {
  return WithRetry(
      MakeError(Reason::kServerOverloaded, "this server has become too slow for all its sessions; the last to come go"),
      options_.retry_delay);
}

absl::Status SessionRoster::Welcome() const {
  MutexLock lock(&mu_);
  if (draining_) return RefuseDraining();
  if (static_cast<int>(sessions_.size()) >= options_.max_sessions + options_.max_unconfigured) {
    return RefuseFull("unknown", options_.max_sessions);
  }
  return absl::OkStatus();
}

void SessionRoster::Add(const std::shared_ptr<Session>& session) {
  MutexLock lock(&mu_);
  sessions_[session.get()] = session;
}

void SessionRoster::Remove(const Session* session) {
  std::shared_ptr<Session> removed;  // destroyed outside the lock
  MutexLock lock(&mu_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  removed = std::move(found->second);
  sessions_.erase(found);
  if (sessions_.empty()) emptied_.NotifyAll();
}

bool SessionRoster::TryCount() {
  MutexLock lock(&mu_);
  if (ledger_.opened - ledger_.closed >= options_.max_sessions) return false;
  ++ledger_.opened;
  return true;
}

void SessionRoster::Uncount() {
  MutexLock lock(&mu_);
  ++ledger_.closed;
}

absl::StatusOr<VoicePin> SessionRoster::Pin(const SessionPlan& plan) const {
  while (true) {
    std::shared_ptr<HostedVoice> voice = registry_.features();
    if (!plan.model.empty()) {
      ASSIGN_OR_RETURN(std::shared_ptr<HostedVoice> found, registry_.Resolve(plan.model));
      if (plan.needs_voice()) voice = std::move(found);
    }
    // Closed between the two: its name means something else by now.
    if (std::optional<VoicePin> pin = VoicePin::Take(std::move(voice)); pin.has_value()) return *std::move(pin);
  }
}

absl::StatusOr<SlotLease> SessionRoster::Admit(const SessionPlan& plan) {
  const auto refuse = [this](const std::string& model, absl::Status error) {
    metrics_.SessionRejected(model, ReasonOf(error));
    return error;
  };
  {
    MutexLock lock(&mu_);
    if (draining_) return refuse("unknown", RefuseDraining());
  }
  absl::StatusOr<VoicePin> pin = Pin(plan);
  if (!pin.ok()) return refuse("unknown", pin.status());
  const std::string model = pin->voice().model();
  if (!TryCount()) return refuse(model, RefuseFull(model, options_.max_sessions));
  const bool live = plan.qos == QualityOfService::kRealtime;
  const int engine = pin->voice().engine_index, slots = pin->voice().slots().slots();
  if (live) {
    if (const std::optional<std::string> why = load_.Join(engine, plan.moved); why.has_value()) {
      Uncount();
      return refuse(model, RefuseLoad(model, *why));
    }
  }
  // Shared, since functions are copied.
  const auto memory = std::make_shared<MemoryBudget::Share>();
  const auto leave = [this, live, engine, memory] {
    memory->Release();
    if (live) load_.Leave(engine);
    Uncount();
  };
  if (options_.memory != nullptr) {
    absl::StatusOr<MemoryBudget::Share> share =
        options_.memory->Take(MemoryUse::kSessions, BufferBytes(plan, options_.limits));
    if (!share.ok()) {
      leave();
      return refuse(model, share.status());
    }
    *memory = *std::move(share);
  }
  std::optional<SlotLease> lease = SlotLease::Take(*std::move(pin), leave);
  if (lease.has_value()) return *std::move(lease);
  leave();
  return refuse(model, RefuseFull(model, slots));
}

SessionRoster::Ledger SessionRoster::ledger() const {
  MutexLock lock(&mu_);
  return ledger_;
}

std::vector<std::shared_ptr<Session>> SessionRoster::Sessions() const {
  MutexLock lock(&mu_);
  std::vector<std::shared_ptr<Session>> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [key, session] : sessions_) sessions.push_back(session);
  return sessions;
}

void SessionRoster::Drain() {
  {
    MutexLock lock(&mu_);
    draining_ = true;
  }
  for (const auto& session : Sessions()) session->NotifyDraining();
}

void SessionRoster::EndAll(const absl::Status& error) {
  for (const auto& session : Sessions()) session->End(error);
}

void SessionRoster::CheckTimeouts(absl::Time now) {
  for (const auto& session : Sessions()) session->CheckTimeouts(now);
}

std::vector<std::shared_ptr<Session>> SessionRoster::LiveSessions() const {
  std::vector<std::shared_ptr<Session>> live = Sessions();
  std::erase_if(live, [](const auto& session) { return !session->IsLoad(); });
  return live;
}

void SessionRoster::Shed(int count) {
  std::vector<std::shared_ptr<Session>> live = LiveSessions();
  std::sort(live.begin(), live.end(), [](const auto& a, const auto& b) { return a->arrived() > b->arrived(); });
  live.resize(std::min(live.size(), static_cast<size_t>(std::max(count, 0))));
  metrics_.SessionsShed(static_cast<int>(live.size()));
  const absl::Status error = OverloadedError();
  for (const auto& session : live) session->SendAway(error);
}

int SessionRoster::size() const {
  MutexLock lock(&mu_);
  return static_cast<int>(sessions_.size());
}

bool SessionRoster::WaitUntilEmpty(absl::Duration timeout) {
  // This waits for other threads: by the machine's clock, whichever the sessions have, and not by the time of day.
  const Clock& clock = Clock::Steady();
  const absl::Time deadline = clock.Now() + timeout;
  MutexLock lock(&mu_);
  while (!sessions_.empty()) {
    const absl::Duration left = deadline - clock.Now();
    if (left <= absl::ZeroDuration()) return false;
    emptied_.WaitFor(&mu_, absl::ToChronoNanoseconds(left));
  }
  return true;
}

}  // namespace ddsp::server
