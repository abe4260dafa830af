// Live streams through a scenario, and what became of each of their samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/chaos/chaos_stream.h"
#include "tests/chaos/cluster.h"
#include "tests/chaos/scenarios.h"

namespace ddsp::testing {

struct ChaosOptions {
  Cluster::Settings cluster;
  std::string model = "violin";
  int streams = 64;
  double calm_seconds = 3;  // before, between and after blows
};

struct ChaosResult {
  std::string scenario;
  int streams = 0, failed_streams = 0, identical_streams = 0;
  std::string first_error;
  double seconds = 0;  // of audio that each stream sent
  int64_t lost_samples = 0, repeated_samples = 0;
  int64_t wrong_samples = 0;  // farther than 1e-5 from what an undisturbed rendering gives
  double largest_difference = 0;
  // Longest time between the arrivals of two blocks, which are 20 ms long, and the latest block against the audio
  // clock.
  double longest_gap_ms = 0, latest_block_ms = 0, median_block_ms = 0;
  int64_t moves = 0;
  double longest_detection_ms = 0, longest_reconnection_ms = 0, longest_replay_ms = 0;
  int64_t replayed_input_samples = 0;
  int64_t stalls = 0;

  bool passed() const {
    return failed_streams == 0 && lost_samples == 0 && repeated_samples == 0 && wrong_samples == 0;
  }
};

// Streams begin in turn at one replica and at the other. Errors: replicas that do not start, and the scenario's.
absl::StatusOr<ChaosResult> RunScenario(const Scenario& scenario, const ChaosOptions& options,
                                        const std::vector<std::vector<float>>& recordings);

}  // namespace ddsp::testing
