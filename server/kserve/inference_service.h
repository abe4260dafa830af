// inference.GRPCInferenceService: the Open Inference Protocol ("KServe v2") with Triton's extensions, so that clients
// which people have already reach every voice. A translation of native sessions, models and errors.
#pragma once

#include <functional>
#include <memory>

#include "server/kserve/infer_statistics.h"
#include "server/kserve/model_description.h"
#include "server/kserve/sequence.h"
#include "server/registry/curator.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server::kserve {

class InferenceService {
 public:
  // Everything outlives the service, and the service the calls of the methods that it adds.
  struct Services {
    SessionServices sessions;
    SessionRoster* roster = nullptr;
    const Registry* registry = nullptr;
    const Clock* time_of_day = nullptr;
    // Whether the server takes new sessions.
    std::function<bool()> ready = [] { return true; };
    Processor processor = Processor::kCpu;
    // Null: the voices are those of the registry for ever, and cannot be loaded or unloaded.
    Curator* curator = nullptr;
    WorkQueue* model_work = nullptr;  // waits for loading; with a curator
  };
  explicit InferenceService(Services services);

  // Everything but RepositoryModelLoad and RepositoryModelUnload, which are refused with ADMIN_PORT_ONLY.
  void AddPublicMethods(MethodTable* methods);
  // Everything but inference.
  void AddAdminMethods(MethodTable* methods);

 private:
  void AddReadingMethods(MethodTable* methods);
  absl::StatusOr<std::shared_ptr<HostedVoice>> Find(const std::string& name, const std::string& version) const;

  absl::Status ModelReady(const inference::ModelReadyRequest& request, inference::ModelReadyResponse* response) const;
  absl::Status ModelMetadata(const inference::ModelMetadataRequest& request,
                             inference::ModelMetadataResponse* response) const;
  absl::Status ModelConfig(const inference::ModelConfigRequest& request,
                           inference::ModelConfigResponse* response) const;
  absl::Status ModelStatistics(const inference::ModelStatisticsRequest& request,
                               inference::ModelStatisticsResponse* response) const;
  absl::Status RepositoryIndex(const inference::RepositoryIndexRequest& request,
                               inference::RepositoryIndexResponse* response) const;

  const Services services_;
  InferStatistics statistics_;
  const SequenceServices sequences_;
};

}  // namespace ddsp::server::kserve
