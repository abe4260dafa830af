// Messages of a client of the Open Inference Protocol, in few words.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "inference/grpc_service.pb.h"
#include "tests/server/support/requests.h"

namespace ddsp::testing {

enum class Part { kStart, kMiddle, kEnd, kWhole };

inline void AddTensor(const std::string& name, const std::string& datatype, int64_t length, std::string raw,
                      inference::ModelInferRequest* request) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  input->add_shape(length);
  request->add_raw_input_contents(std::move(raw));
}

// A recording of its own.
inline inference::ModelInferRequest Infer(absl::Span<const float> audio, const std::string& id = "") {
  inference::ModelInferRequest request;
  request.set_model_name("violin");
  request.set_id(id);
  AddTensor("audio", "FP32", static_cast<int64_t>(audio.size()), FloatBytes(audio), &request);
  return request;
}

inline inference::ModelInferRequest InferPart(int64_t sequence, Part part, absl::Span<const float> audio,
                                              const std::string& id = "") {
  inference::ModelInferRequest request = Infer(audio, id);
  auto& parameters = *request.mutable_parameters();
  parameters["sequence_id"].set_int64_param(sequence);
  parameters["sequence_start"].set_bool_param(part == Part::kStart || part == Part::kWhole);
  parameters["sequence_end"].set_bool_param(part == Part::kEnd || part == Part::kWhole);
  return request;
}

inline void AddPitch(float semitones, inference::ModelInferRequest* request) {
  AddTensor("pitch_shift_semitones", "FP32", 1, FloatBytes({semitones}), request);
}

inline void AddSeed(uint64_t seed, inference::ModelInferRequest* request) {
  std::string raw(sizeof seed, '\0');
  std::memcpy(raw.data(), &seed, sizeof seed);
  AddTensor("seed", "UINT64", 1, std::move(raw), request);
}

inline std::vector<float> AudioOf(const inference::ModelInferResponse& response) {
  if (response.raw_output_contents_size() == 1) return FloatsOf(response.raw_output_contents(0));
  if (response.outputs_size() == 0) return {};
  const auto& values = response.outputs(0).contents().fp32_contents();
  return {values.begin(), values.end()};
}

}  // namespace ddsp::testing
