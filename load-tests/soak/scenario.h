// A kind of client: what it does, and whether it ended as it had to.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

struct Scenario {
  std::string name;
  int weight = 1;  // of its being drawn
  // An error names what was expected and what came.
  std::function<absl::Status(Visit&)> run;
};

using Scenarios = std::vector<Scenario>;

Scenarios PlayScenarios();      // sessions as they should be
Scenarios RudeScenarios();      // that break the protocol
Scenarios SlowScenarios();      // that stall, burst, do not read, do not go on
Scenarios LeavingScenarios();   // that go without a word
Scenarios GarbageScenarios();   // that do not speak the language
Scenarios KserveScenarios();    // of the Open Inference Protocol
Scenarios WholeScenarios();     // recordings and graphs in one message
Scenarios OperatorScenarios();  // who look after the server
Scenarios JobScenarios();       // who have work done by workers
Scenarios MovingScenarios();    // that take a snapshot along
Scenarios AllScenarios();

}  // namespace ddsp::soak
