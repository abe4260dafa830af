#include "load-tests/soak/infer_requests.h"

#include "load-tests/soak/raw_session.h"

namespace ddsp::soak {

inference::ModelInferRequest Infer(const std::string& voice, absl::Span<const float> audio) {
  inference::ModelInferRequest request;
  request.set_model_name(voice);
  auto* input = request.add_inputs();
  input->set_name("audio");
  input->set_datatype("FP32");
  input->add_shape(static_cast<int64_t>(audio.size()));
  request.add_raw_input_contents(FloatBytes(audio));
  return request;
}

inference::ModelInferRequest InferPart(const std::string& voice, int64_t sequence, Part part,
                                       absl::Span<const float> audio) {
  inference::ModelInferRequest request = Infer(voice, audio);
  auto& parameters = *request.mutable_parameters();
  parameters["sequence_id"].set_int64_param(sequence);
  parameters["sequence_start"].set_bool_param(part == Part::kStart);
  parameters["sequence_end"].set_bool_param(part == Part::kEnd);
  return request;
}

int64_t SamplesOf(const inference::ModelInferResponse& response) {
  return response.outputs_size() == 1 && response.outputs(0).shape_size() == 1 ? response.outputs(0).shape(0) : -1;
}

}  // namespace ddsp::soak
