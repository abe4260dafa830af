#pragma once

#include <string>

#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_request.h"

namespace ddsp::server::kserve {

// The answer to a request: `audio` (little-endian floats) in the form in which the request came. `version`: "3", or
// empty.
inference::ModelInferResponse MakeInferResponse(const InferRequest& request, const std::string& version,
                                                std::string audio);
// What goes with the text of an error: whose it is.
inference::ModelInferResponse MakeErrorResponse(const std::string& id, const std::string& model,
                                                const std::string& version);

}  // namespace ddsp::server::kserve
