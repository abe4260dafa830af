// Two replicas of a service, as a load balancer would have them: one key, a data directory each.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/chaos/replica.h"
#include "tests/chaos/slow_proxy.h"

namespace ddsp::testing {

class Cluster {
 public:
  static constexpr int kReplicas = 2;
  struct Settings {
    std::string program;     // ddsp-server
    std::string repository;  // of voices
    std::string folder;      // for keys, data and logs; exists
    int sessions = 256;      // that each replica takes
    std::vector<std::string> flags;
  };
  // Returns when both serve.
  static absl::StatusOr<std::unique_ptr<Cluster>> Start(const Settings& settings);

  Replica& replica(int i) { return *replicas_[i]; }
  // From now on the replicas are reached over slow ways.
  void SlowDown(const SlowProxy::Settings& settings);
  // For clients: both, replica `first` first.
  std::string servers(int first) const;

 private:
  Cluster() = default;
  std::string AddressOf(int i) const;

  std::array<std::unique_ptr<Replica>, kReplicas> replicas_;
  std::array<std::unique_ptr<SlowProxy>, kReplicas> ways_;  // null: direct
};

}  // namespace ddsp::testing
