#include "server/kserve/repository.h"

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server::kserve {
namespace {

// Triton's words.
std::string_view StateOf(VersionState state) {
  switch (state) {
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kReady:
      return "READY";
    case VersionState::kUnloading:
      return "UNLOADING";
    case VersionState::kUnloaded:
    case VersionState::kUnavailable:
      break;
  }
  return "UNAVAILABLE";
}

absl::Status BadField(const std::string& field, const std::string& description) {
  return MakeFieldError(Reason::kInvalidModelRequest, absl::StrCat(field, " ", description), {{field, description}});
}

absl::Status CheckRepository(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return BadField("repository_name", absl::StrCat("is '", Echo(name), "'; all models are in one, without a name"));
}

struct Name {
  std::string model;
  int64_t version = 0;
};

absl::StatusOr<Name> ReadName(const std::string& text) {
  Name name{.model = text.substr(0, text.find('/'))};
  const std::string version = text.substr(std::min(text.size(), name.model.size() + 1));
  const bool versioned = name.model.size() < text.size();
  if (IsModelName(name.model) && (!versioned || (absl::SimpleAtoi(version, &name.version) &&
                                                 version == absl::StrCat(name.version) && name.version > 0))) {
    return name;
  }
  return BadField("model_name", absl::StrCat("is '", Echo(text), "', expected violin or violin/3"));
}

}  // namespace

absl::Status IndexRepository(const std::vector<ModelStatus>& models, const inference::RepositoryIndexRequest& request,
                             inference::RepositoryIndexResponse* response) {
  RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  for (const ModelStatus& model : models) {
    for (const VersionStatus& version : model.versions) {
      if (request.ready() && version.state != VersionState::kReady) continue;
      auto* index = response->add_models();
      index->set_name(model.name);
      index->set_version(absl::StrCat(version.version));
      index->set_state(std::string(StateOf(version.state)));
      index->set_reason(version.state == VersionState::kUnloaded ? "unloaded" : version.reason);
    }
  }
  return absl::OkStatus();
}

absl::Status LoadModel(ModelControl& control, const inference::RepositoryModelLoadRequest& request) {
  RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  ASSIGN_OR_RETURN(const Name name, ReadName(request.model_name()));
  for (const auto& [parameter, unused] : request.parameters()) {
    return BadField(absl::StrCat("parameters[\"", Echo(parameter), "\"]"),
                    "is not taken: a voice is served as it was published");
  }
  return control.Load(name.model, name.version);
}

absl::Status UnloadModel(ModelControl& control, const inference::RepositoryModelUnloadRequest& request) {
  RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  ASSIGN_OR_RETURN(const Name name, ReadName(request.model_name()));
  for (const auto& [parameter, unused] : request.parameters()) {
    // No model depends on another.
    if (parameter == "unload_dependents") continue;
    return BadField(absl::StrCat("parameters[\"", Echo(parameter), "\"]"), "is unknown");
  }
  return control.Unload(name.model, name.version);
}

}  // namespace ddsp::server::kserve
