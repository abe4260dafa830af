// The repository's part of the protocol: what there is, for all; its coming and going, for operators.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "inference/grpc_service.pb.h"
#include "server/registry/model_control.h"
#include "server/registry/model_status.h"

namespace ddsp::server::kserve {

// Errors: INVALID_MODEL_REQUEST (a repository is named; there is one).
absl::Status IndexRepository(const std::vector<ModelStatus>& models, const inference::RepositoryIndexRequest& request,
                             inference::RepositoryIndexResponse* response);

// The newest version of a model, or the one that the name tells ("violin/3"). Errors: INVALID_MODEL_REQUEST (a name, a
// repository, a parameter: configurations and files come by publishing, not by this call), and those of ModelControl.
absl::Status LoadModel(ModelControl& control, const inference::RepositoryModelLoadRequest& request);
absl::Status UnloadModel(ModelControl& control, const inference::RepositoryModelUnloadRequest& request);

}  // namespace ddsp::server::kserve
