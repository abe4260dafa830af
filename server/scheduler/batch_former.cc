#include "server/scheduler/batch_former.h"

#include <algorithm>
#include <utility>

namespace ddsp::server {
namespace {

// A hop waits for no more of its budget than this.
constexpr int kBudgetShare = 8;
constexpr int kHopShare = 4;
// And one that is late, no longer than for those that were stepped with it just now.
constexpr int kLateShare = 4;

// How long a hop waits for others, which would wait for `gather` if it were in time.
absl::Duration WaitOf(const ReadyHop& hop, absl::Duration gather) {
  const absl::Duration late = hop.lag - hop.budget / 2;
  return std::clamp(gather - late, gather / kLateShare, gather);
}

}  // namespace

// A ready hop in the order of service.
struct BatchFormer::Turn {
  size_t index = 0;
  bool urgent = false;
  absl::Time deadline;  // of its block
  absl::Time due;       // when it stops waiting for others
};

absl::Duration BatchFormer::GatherTime(double busy, const EngineTick& engine) const {
  const absl::Duration all = busy * engine.hop;
  if (all < 2 * engine.cost.Of(1)) return absl::ZeroDuration();
  return std::min({options_.max_wait, engine.hop / kHopShare, all});
}

absl::Time BatchFormer::LatestStart(const ReadyHop& hop) const {
  if (hop.qos == QualityOfService::kThroughput) return hop.since + options_.throughput_patience;
  return hop.since + WaitOf(hop, hop.budget / kBudgetShare);
}

bool BatchFormer::IsUrgent(const ReadyHop& hop, absl::Time now) const {
  return hop.qos == QualityOfService::kRealtime || now - hop.since >= options_.throughput_patience;
}

std::vector<BatchFormer::Turn> BatchFormer::InOrder(absl::Span<const ReadyHop> ready, const TickLoad& load,
                                                    absl::Time now) const {
  std::vector<Turn> order(ready.size());
  for (size_t i = 0; i < ready.size(); ++i) {
    const ReadyHop& hop = ready[i];
    const absl::Duration gather = std::min(GatherTime(load.busy, load.engines[hop.engine]), hop.budget / kBudgetShare);
    order[i] = {.index = i,
                .urgent = IsUrgent(hop, now),
                .deadline = hop.since - hop.lag + hop.budget,
                .due = hop.since + WaitOf(hop, gather)};
  }
  std::stable_sort(order.begin(), order.end(), [](const Turn& a, const Turn& b) {
    return std::pair(!a.urgent, a.deadline) < std::pair(!b.urgent, b.deadline);
  });
  return order;
}

BatchDecision BatchFormer::Next(absl::Span<const ReadyHop> ready, const TickLoad& load, absl::Time now) const {
  BatchDecision decision;
  if (ready.empty()) return decision;
  const std::vector<Turn> order = InOrder(ready, load, now);
  if (!order[0].urgent) {
    decision.plan = Gather(ready, order, ready[order[0].index].engine, load);
    return decision;
  }
  size_t urgent = 0;
  for (const Turn& turn : order) {
    if (!turn.urgent) break;
    ++urgent;
    decision.wait_until = std::min(decision.wait_until, turn.due);
  }
  if (decision.wait_until > now && urgent < options_.max_streams) return decision;
  // Of the engines that must go, the one whose block is due first; a full house goes by deadline too.
  const auto due =
      std::find_if(order.begin(), order.begin() + urgent, [&](const Turn& turn) { return turn.due <= now; });
  const Turn& first = due == order.begin() + urgent ? order[0] : *due;
  decision.plan = Gather(ready, order, ready[first.index].engine, load);
  return decision;
}

size_t BatchFormer::InATick(const EngineTick& engine) const {
  if (engine.cost.each <= absl::ZeroDuration()) return options_.max_streams;
  return std::max<int64_t>(1, (engine.hop / kHopShare - engine.cost.fixed) / engine.cost.each);
}

BatchPlan BatchFormer::Gather(absl::Span<const ReadyHop> ready, const std::vector<Turn>& order, int engine,
                              const TickLoad& load) const {
  BatchPlan plan{.engine = engine, .members = {}};
  const auto mine = [&](const Turn& turn) { return ready[turn.index].engine == engine; };
  const size_t urgent =
      std::count_if(order.begin(), order.end(), [&](const Turn& turn) { return turn.urgent && mine(turn); });
  const size_t workers = std::max(1, load.idle_workers);
  const size_t patient = InATick(load.engines[engine]);
  const size_t share = std::max(std::min(options_.min_share, patient), (urgent + workers - 1) / workers);
  size_t left[] = {patient, share};
  for (const Turn& turn : order) {
    if (plan.members.size() == options_.max_streams) break;
    if (!mine(turn) || left[turn.urgent] == 0) continue;
    --left[turn.urgent];
    plan.members.push_back(turn.index);
  }
  return plan;
}

}  // namespace ddsp::server
