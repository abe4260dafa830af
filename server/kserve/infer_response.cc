#include "server/kserve/infer_response.h"

#include <cstring>
#include <utility>

namespace ddsp::server::kserve {

inference::ModelInferResponse MakeInferResponse(const InferRequest& request, const std::string& version,
                                                std::string audio) {
  inference::ModelInferResponse response = MakeErrorResponse(request.id, request.model, version);
  if (!request.sequence.empty()) {
    (*response.mutable_parameters())["sequence_start"].set_bool_param(request.start);
    (*response.mutable_parameters())["sequence_end"].set_bool_param(request.end);
  }
  if (request.marks_final) (*response.mutable_parameters())["triton_final_response"].set_bool_param(true);
  const auto samples = static_cast<int>(audio.size() / sizeof(float));
  auto* output = response.add_outputs();
  output->set_name(kAudio);
  output->set_datatype("FP32");
  output->add_shape(samples);
  if (request.form == TensorForm::kRaw) {
    *response.add_raw_output_contents() = std::move(audio);
    return response;
  }
  auto* values = output->mutable_contents()->mutable_fp32_contents();
  values->Resize(samples, 0.0f);
  if (samples > 0) std::memcpy(values->mutable_data(), audio.data(), audio.size());
  return response;
}

inference::ModelInferResponse MakeErrorResponse(const std::string& id, const std::string& model,
                                                const std::string& version) {
  inference::ModelInferResponse response;
  response.set_id(id);
  response.set_model_name(model);
  response.set_model_version(version);
  return response;
}

}  // namespace ddsp::server::kserve
