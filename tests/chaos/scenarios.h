// What befalls a service while its streams play.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/chaos/cluster.h"

namespace ddsp::testing {

struct Scenario {
  std::string name;
  std::string what;  // for people
  // Before the streams open; may be null.
  void (*prepare)(Cluster& cluster);
  // While they play; returns when it is over. `calm_seconds` lie between two blows.
  absl::Status (*strike)(Cluster& cluster, double calm_seconds);
};

// "undisturbed", "rolling-restart", "kill", "freeze", "full-disk" and "slow-network".
const std::vector<Scenario>& Scenarios();

}  // namespace ddsp::testing
