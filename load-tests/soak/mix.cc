#include "load-tests/soak/mix.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "absl/strings/str_format.h"

namespace ddsp::soak {
namespace {

std::vector<int> WeightsOf(const Scenarios& scenarios) {
  std::vector<int> weights;
  for (const Scenario& scenario : scenarios) weights.push_back(scenario.weight);
  return weights;
}

}  // namespace

Mix::Mix(const Place& place, Scenarios scenarios, const Options& options)
    : place_(place), scenarios_(std::move(scenarios)), options_(options), random_(options.seed) {
  const std::vector<int> weights = WeightsOf(scenarios_);
  weights_ = std::discrete_distribution<size_t>(weights.begin(), weights.end());
  first_round_.resize(scenarios_.size());
  std::iota(first_round_.begin(), first_round_.end(), 0);
  std::shuffle(first_round_.begin(), first_round_.end(), random_);
  for (const Scenario& scenario : scenarios_) tallies_[scenario.name];
  for (int i = 0; i < options_.clients; ++i) threads_.emplace_back([this] { Run(); });
}

Mix::~Mix() { Stop(); }

void Mix::Stop() {
  {
    const MutexLock lock(&mu_);
    stopped_ = true;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::map<std::string, Tally> Mix::tallies() const {
  const MutexLock lock(&mu_);
  return tallies_;
}

Mix::Turn Mix::Draw() {
  const MutexLock lock(&mu_);
  size_t index = 0;
  if (!first_round_.empty()) {
    index = first_round_.back();
    first_round_.pop_back();
  } else if (stopped_) {
    return {nullptr, 0};
  } else {
    index = weights_(random_);
  }
  return {&scenarios_[index], random_()};
}

void Mix::Run() {
  using Clock = std::chrono::steady_clock;
  for (Turn turn = Draw(); turn.scenario != nullptr; turn = Draw()) {
    Visit visit(place_, turn.seed);
    const Clock::time_point begin = Clock::now();
    const absl::Status status = turn.scenario->run(visit);
    Count(turn, status, std::chrono::duration<double>(Clock::now() - begin).count());
    Visit::Sleep(visit.Real(0, options_.longest_pause));
  }
}

void Mix::Count(const Turn& turn, const absl::Status& status, double seconds) {
  const MutexLock lock(&mu_);
  Tally& tally = tallies_[turn.scenario->name];
  ++tally.visits;
  tally.longest_seconds = std::max(tally.longest_seconds, seconds);
  if (status.ok()) return;
  if (tally.unexpected++ == 0) tally.first_unexpected = status.ToString();
  options_.say(
      absl::StrFormat("%s (seed %d) after %.1f s: %s", turn.scenario->name, turn.seed, seconds, status.ToString()));
}

}  // namespace ddsp::soak
