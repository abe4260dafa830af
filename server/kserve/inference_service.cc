#include "server/kserve/inference_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/kserve/infer_call.h"
#include "server/kserve/repository.h"
#include "server/kserve/stream_infer_call.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server::kserve {
namespace {

constexpr char kService[] = "inference.GRPCInferenceService";
constexpr char kServerName[] = "ddsp-server";
constexpr const char* kExtensions[] = {"sequence",
                                       "sequence(string_id)",
                                       "parameters",
                                       "model_configuration",
                                       "statistics",
                                       "model_repository",
                                       "model_repository(unload_dependents)"};

template <typename Request, typename Response, typename Work>
void AddUnary(const char* name, WorkQueue* queue, Work work, MethodTable* methods) {
  methods->Add(kService, name,
               [queue, work](Call& call) { return MakeUnaryCall<Request, Response>(call, queue, work); });
}

std::string Reference(const std::string& name, const std::string& version) {
  return version.empty() ? name : absl::StrCat(name, "/", version);
}

absl::Status ServerMetadata(inference::ServerMetadataResponse* response) {
  response->set_name(kServerName);
  response->set_version(DDSP_VERSION);
  for (const char* extension : kExtensions) response->add_extensions(extension);
  return absl::OkStatus();
}

absl::Status RefusePublic() {
  return MakeError(Reason::kAdminPortOnly, "this method is served on the admin port (--admin-listen) alone");
}

// The registry's voices, where nobody keeps more than it has.
std::vector<ModelStatus> StatusOf(const Registry& registry) {
  std::vector<ModelStatus> models;
  for (const auto& voice : registry.hosted()) {
    if (voice == registry.features()) continue;
    if (models.empty() || models.back().name != voice->model()) models.push_back({.name = voice->model()});
    models.back().versions.push_back({.version = voice->version(), .state = VersionState::kReady});
  }
  return models;
}

}  // namespace

InferenceService::InferenceService(Services services)
    : services_(std::move(services)),
      sequences_{.sessions = services_.sessions,
                 .roster = services_.roster,
                 .registry = services_.registry,
                 .statistics = &statistics_,
                 .time_of_day = services_.time_of_day} {}

void InferenceService::AddPublicMethods(MethodTable* methods) {
  AddReadingMethods(methods);
  methods->Add(kService, "ModelInfer", [this](Call& call) { return std::make_unique<InferCall>(call, sequences_); });
  methods->Add(kService, "ModelStreamInfer",
               [this](Call& call) { return std::make_unique<StreamInferCall>(call, sequences_); });
  AddUnary<inference::RepositoryModelLoadRequest, inference::RepositoryModelLoadResponse>(
      "RepositoryModelLoad", nullptr, [](const auto&, auto*) { return RefusePublic(); }, methods);
  AddUnary<inference::RepositoryModelUnloadRequest, inference::RepositoryModelUnloadResponse>(
      "RepositoryModelUnload", nullptr, [](const auto&, auto*) { return RefusePublic(); }, methods);
}

void InferenceService::AddAdminMethods(MethodTable* methods) {
  AddReadingMethods(methods);
  if (services_.curator == nullptr) return;
  AddUnary<inference::RepositoryModelLoadRequest, inference::RepositoryModelLoadResponse>(
      "RepositoryModelLoad", services_.model_work,
      [this](const auto& request, auto*) { return LoadModel(*services_.curator, request); }, methods);
  AddUnary<inference::RepositoryModelUnloadRequest, inference::RepositoryModelUnloadResponse>(
      "RepositoryModelUnload", services_.model_work,
      [this](const auto& request, auto*) { return UnloadModel(*services_.curator, request); }, methods);
}

void InferenceService::AddReadingMethods(MethodTable* methods) {
  // Clients of this protocol see the text of an error, and often nothing else.
  methods->SetErrorText(kService, ErrorText::kReasonAndMessage);
  AddUnary<inference::ServerLiveRequest, inference::ServerLiveResponse>(
      "ServerLive", nullptr,
      [](const auto&, auto* response) {
        response->set_live(true);
        return absl::OkStatus();
      },
      methods);
  AddUnary<inference::ServerReadyRequest, inference::ServerReadyResponse>(
      "ServerReady", nullptr,
      [this](const auto&, auto* response) {
        response->set_ready(services_.ready());
        return absl::OkStatus();
      },
      methods);
  AddUnary<inference::ServerMetadataRequest, inference::ServerMetadataResponse>(
      "ServerMetadata", nullptr, [](const auto&, auto* response) { return ServerMetadata(response); }, methods);
  AddUnary<inference::ModelReadyRequest, inference::ModelReadyResponse>(
      "ModelReady", nullptr, [this](const auto& request, auto* response) { return ModelReady(request, response); },
      methods);
  AddUnary<inference::ModelMetadataRequest, inference::ModelMetadataResponse>(
      "ModelMetadata", nullptr,
      [this](const auto& request, auto* response) { return ModelMetadata(request, response); }, methods);
  AddUnary<inference::ModelConfigRequest, inference::ModelConfigResponse>(
      "ModelConfig", nullptr, [this](const auto& request, auto* response) { return ModelConfig(request, response); },
      methods);
  AddUnary<inference::ModelStatisticsRequest, inference::ModelStatisticsResponse>(
      "ModelStatistics", nullptr,
      [this](const auto& request, auto* response) { return ModelStatistics(request, response); }, methods);
  AddUnary<inference::RepositoryIndexRequest, inference::RepositoryIndexResponse>(
      "RepositoryIndex", nullptr,
      [this](const auto& request, auto* response) { return RepositoryIndex(request, response); }, methods);
}

absl::StatusOr<std::shared_ptr<HostedVoice>> InferenceService::Find(const std::string& name,
                                                                    const std::string& version) const {
  return services_.registry->Resolve(Reference(name, version));
}

// A model that nobody knows is not ready, as the protocol has it; that is no error.
absl::Status InferenceService::ModelReady(const inference::ModelReadyRequest& request,
                                          inference::ModelReadyResponse* response) const {
  response->set_ready(services_.ready() && Find(request.name(), request.version()).ok());
  return absl::OkStatus();
}

absl::Status InferenceService::ModelMetadata(const inference::ModelMetadataRequest& request,
                                             inference::ModelMetadataResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<HostedVoice> voice, Find(request.name(), request.version()));
  std::vector<std::string> versions;
  for (const auto& other : services_.registry->hosted()) {
    if (other->model() == voice->model()) versions.push_back(absl::StrCat(other->version()));
  }
  *response = DescribeModel(*voice, versions);
  return absl::OkStatus();
}

absl::Status InferenceService::ModelConfig(const inference::ModelConfigRequest& request,
                                           inference::ModelConfigResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<HostedVoice> voice, Find(request.name(), request.version()));
  *response->mutable_config() = ConfigureModel(*voice, services_.sessions.limits.idle_timeout, services_.processor);
  return absl::OkStatus();
}

absl::Status InferenceService::ModelStatistics(const inference::ModelStatisticsRequest& request,
                                               inference::ModelStatisticsResponse* response) const {
  if (!request.name().empty()) {
    ASSIGN_OR_RETURN(const std::shared_ptr<HostedVoice> voice, Find(request.name(), request.version()));
    *response->add_model_stats() = statistics_.Of(voice->model(), voice->version());
    return absl::OkStatus();
  }
  for (const auto& voice : services_.registry->hosted()) {
    if (voice == services_.registry->features()) continue;
    *response->add_model_stats() = statistics_.Of(voice->model(), voice->version());
  }
  return absl::OkStatus();
}

absl::Status InferenceService::RepositoryIndex(const inference::RepositoryIndexRequest& request,
                                               inference::RepositoryIndexResponse* response) const {
  return IndexRepository(services_.curator != nullptr ? services_.curator->Models() : StatusOf(*services_.registry),
                         request, response);
}

}  // namespace ddsp::server::kserve
