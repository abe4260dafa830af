#include "server/security/method_roles.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::server {
namespace {

// Sorted by name: FindMethod() searches it.
constexpr MethodRow kMethods[] = {
    {"/ddsp.v1.Features/Extract", Access::kStream, Charge::kCall},
    {"/ddsp.v1.Graph/Run", Access::kStream, Charge::kCall},
    // Jobs write to the server's disk, and a training publishes a voice. Workers speak for themselves: give theirs a
    // tenant of its own.
    {"/ddsp.v1.Jobs/BeginUpload", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Cancel", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/CancelUpload", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Claim", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Complete", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Create", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/DownloadChunk", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Fail", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Get", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Heartbeat", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/List", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/ListLogLines", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Release", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/UploadChunk", Access::kPublish, Charge::kCall},
    {"/ddsp.v1.Jobs/Wait", Access::kPublish, Charge::kNothing},
    {"/ddsp.v1.Jobs/Watch", Access::kPublish, Charge::kNothing},
    // Whoever has a token may know what voices there are.
    {"/ddsp.v1.Models/DeleteAlias", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Models/Get", Access::kAnyRole, Charge::kCall},
    {"/ddsp.v1.Models/List", Access::kAnyRole, Charge::kCall},
    {"/ddsp.v1.Models/Load", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Models/SetAlias", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Models/Unload", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Models/Watch", Access::kAnyRole, Charge::kNothing},
    {"/ddsp.v1.Sessions/Kill", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Sessions/List", Access::kAdmin, Charge::kCall},
    {"/ddsp.v1.Synthesis/Render", Access::kStream, Charge::kSession},
    {"/ddsp.v1.Synthesis/StreamSession", Access::kStream, Charge::kSession},
    // Names of models are no news to strangers; probes have a port of their own (--health-listen).
    {"/grpc.health.v1.Health/Check", Access::kAnyRole, Charge::kNothing},
    {"/grpc.health.v1.Health/List", Access::kAnyRole, Charge::kNothing},
    {"/grpc.health.v1.Health/Watch", Access::kAnyRole, Charge::kNothing},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access::kAnyRole, Charge::kCall},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Access::kAnyRole, Charge::kCall},
    {"/inference.GRPCInferenceService/CudaSharedMemoryRegister", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/CudaSharedMemoryStatus", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/CudaSharedMemoryUnregister", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/LogSettings", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/ModelConfig", Access::kAnyRole, Charge::kCall},
    {"/inference.GRPCInferenceService/ModelInfer", Access::kStream, Charge::kSession},
    {"/inference.GRPCInferenceService/ModelMetadata", Access::kAnyRole, Charge::kCall},
    {"/inference.GRPCInferenceService/ModelReady", Access::kAnyRole, Charge::kCall},
    {"/inference.GRPCInferenceService/ModelStatistics", Access::kAnyRole, Charge::kCall},
    // Each of its sequences takes a session besides.
    {"/inference.GRPCInferenceService/ModelStreamInfer", Access::kStream, Charge::kCall},
    {"/inference.GRPCInferenceService/RepositoryIndex", Access::kAnyRole, Charge::kCall},
    {"/inference.GRPCInferenceService/RepositoryModelLoad", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/RepositoryModelUnload", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/ServerLive", Access::kAnyRole, Charge::kNothing},
    {"/inference.GRPCInferenceService/ServerMetadata", Access::kAnyRole, Charge::kNothing},
    {"/inference.GRPCInferenceService/ServerReady", Access::kAnyRole, Charge::kNothing},
    {"/inference.GRPCInferenceService/SystemSharedMemoryRegister", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/SystemSharedMemoryStatus", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/SystemSharedMemoryUnregister", Access::kAdmin, Charge::kCall},
    {"/inference.GRPCInferenceService/TraceSetting", Access::kAdmin, Charge::kCall},
    {"/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics", Access::kStream, Charge::kNothing},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < std::size(kMethods); ++i) {
    if (kMethods[i - 1].name >= kMethods[i].name) return false;
  }
  return true;
}
static_assert(IsSorted(), "rows are sorted by name, each is there once");

}  // namespace

const MethodRow* FindMethod(std::string_view name) {
  const MethodRow* const found =
      std::lower_bound(std::begin(kMethods), std::end(kMethods), name,
                       [](const MethodRow& row, std::string_view n) { return row.name < n; });
  return found != std::end(kMethods) && found->name == name ? found : nullptr;
}

absl::Status CheckMethods(const std::vector<std::string>& names) {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (FindMethod(name) == nullptr) missing.push_back(name);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("no role is said for ", absl::StrJoin(missing, ", "),
                                                    ": add a row to server/security/method_roles.cc"));
}

bool Allows(Access access, const RoleSet& roles) {
  switch (access) {
    case Access::kAnyRole:
      return !roles.empty();
    case Access::kStream:
      return roles.Has(Role::kStream);
    case Access::kPublish:
      return roles.Has(Role::kPublish);
    case Access::kAdmin:
      return roles.Has(Role::kAdmin);
  }
  return false;
}

std::string_view NameOf(Access access) {
  switch (access) {
    case Access::kAnyRole:
      return "any";
    case Access::kStream:
      return NameOf(Role::kStream);
    case Access::kPublish:
      return NameOf(Role::kPublish);
    case Access::kAdmin:
      return NameOf(Role::kAdmin);
  }
  return "";
}

}  // namespace ddsp::server
