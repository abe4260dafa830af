#include "tests/chaos/cluster.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::testing {

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Start(const Settings& settings) {
  const std::string key_file = settings.folder + "/session.key";
  RETURN_IF_ERROR(WriteFileAtomically(key_file, "a key that only the replicas of this test know\n"));
  std::unique_ptr<Cluster> cluster(new Cluster);
  for (int i = 0; i < kReplicas; ++i) {
    const std::string name = absl::StrCat(settings.folder, "/replica", i);
    Replica::Settings replica{settings.program, {}, name + ".log"};
    replica.flags = {"--model-repository=" + settings.repository, "--data-dir=" + name,
                     "--session-key-file=" + key_file, absl::StrCat("--max-sessions=", settings.sessions),
                     // All streams are to live on one replica; whether the machine bears that is seen in the gaps.
                     "--max-device-load=0"};
    replica.flags.insert(replica.flags.end(), settings.flags.begin(), settings.flags.end());
    cluster->replicas_[i] = std::make_unique<Replica>(std::move(replica));
    RETURN_IF_ERROR(cluster->replicas_[i]->Start());
  }
  return cluster;
}

void Cluster::SlowDown(const SlowProxy::Settings& settings) {
  for (int i = 0; i < kReplicas; ++i) ways_[i] = std::make_unique<SlowProxy>(replicas_[i]->port(), settings);
}

std::string Cluster::AddressOf(int i) const {
  return ways_[i] != nullptr ? ways_[i]->address() : replicas_[i]->address();
}

std::string Cluster::servers(int first) const { return absl::StrCat(AddressOf(first), ",", AddressOf(1 - first)); }

}  // namespace ddsp::testing
