#include "core/importer/voice/frozen_reverb.h"

#include "absl/types/span.h"
#include "core/base/status_macros.h"
#include "core/kernels/noise.h"
#include "core/processors/processor_factory.h"

namespace ddsp::importer {

absl::StatusOr<std::vector<float>> FreezeReverb(const v1::GraphSpec::Node& node, const ImportedWeight& magnitudes,
                                                uint64_t seed) {
  const auto& numbers = node.numbers();
  const auto whole = [&](const char* key) { return static_cast<int64_t>(numbers.at(key)); };
  const int64_t length = whole("reverb_length");
  const ConstructorArgs args = {{"trainable", true},
                                {"reverb_length", length},
                                {"window_size", whole("window_size")},
                                {"n_frames", whole("n_frames")},
                                {"n_filter_banks", whole("n_filter_banks")},
                                {"initial_bias", numbers.at("initial_bias")}};
  ASSIGN_OR_RETURN(const auto reverb, MakeProcessor("effects.FilteredNoiseReverb", node.name(), args));
  std::vector<float> noise(length);
  kernels::UniformNoise(seed, 0, absl::MakeSpan(noise));
  const at::NoGradGuard no_gradients;
  ProcessorContext context;
  context.noise = at::tensor(noise).unsqueeze(0);
  context.parameters["magnitudes"] = at::tensor(magnitudes.values).view(magnitudes.shape);
  ASSIGN_OR_RETURN(const NamedTensors controls, reverb->GetControls({{"audio", at::zeros({1, 1})}}, context));
  ASSIGN_OR_RETURN(const at::Tensor ir, Lookup(controls, "ir"));
  const at::Tensor flat = ir.flatten().contiguous();
  std::vector<float> response(flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
  response[0] = 0;  // the dry signal's place
  return response;
}

}  // namespace ddsp::importer
