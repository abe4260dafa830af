#include "load-tests/soak/scenario.h"

namespace ddsp::soak {

Scenarios AllScenarios() {
  Scenarios all;
  for (const auto& family : {PlayScenarios, RudeScenarios, SlowScenarios, LeavingScenarios, GarbageScenarios,
                             KserveScenarios, WholeScenarios, OperatorScenarios, JobScenarios, MovingScenarios}) {
    for (Scenario& scenario : family()) all.push_back(std::move(scenario));
  }
  return all;
}

}  // namespace ddsp::soak
