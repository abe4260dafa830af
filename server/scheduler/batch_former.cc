#include "server/scheduler/batch_former.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ddsp::server {

std::optional<BatchPlan> BatchFormer::Next(absl::Span<const ReadyHop> ready, absl::Time now) const {
  if (ready.empty()) return std::nullopt;
  const auto urgency = [&](size_t i) {
    const bool patient =
        ready[i].qos == QualityOfService::kThroughput && now - ready[i].since < options_.throughput_patience;
    return std::pair(patient, ready[i].since);
  };
  std::vector<size_t> order(ready.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return urgency(a) < urgency(b); });

  const ReadyHop& first = ready[order[0]];
  BatchPlan plan{.engine = first.engine, .members = {}};
  for (const size_t i : order) {
    if (plan.members.size() == options_.max_streams) break;
    if (ready[i].engine == plan.engine) plan.members.push_back(i);
  }
  if (plan.members.size() < options_.max_streams && now - first.since < options_.max_wait) return std::nullopt;
  return plan;
}

}  // namespace ddsp::server
