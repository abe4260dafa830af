// losses.*
#include "core/losses/mean_difference.h"
#include "core/losses/spectral_loss.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

// COSINE is documented upstream but fails there: to a caller of upstream's form it is no loss type.
LossType LossTypeOf(Call& call, const std::string& fallback) {
  const LossType type = ParseLossType(call.Text("loss_type", fallback));
  if (type == LossType::kCosine) throw Rejected("loss_type is 'COSINE', which upstream does not accept");
  return type;
}

NamedTensors SpectralLossCase(Call& call) {
  SpectralLossOptions options;
  if (call.Has("fft_sizes")) options.fft_sizes = call.Raw("fft_sizes").get<std::vector<int64_t>>();
  options.loss_type = LossTypeOf(call, "L1");
  options.mag_weight = call.Number("mag_weight", 1);
  options.delta_time_weight = call.Number("delta_time_weight", 0);
  options.delta_freq_weight = call.Number("delta_freq_weight", 0);
  options.cumsum_freq_weight = call.Number("cumsum_freq_weight", 0);
  options.logmag_weight = call.Number("logmag_weight", 0);
  options.loudness_weight = call.Number("loudness_weight", 0);
  return Out(SpectralLoss(options)(call.In("target_audio"), call.In("audio"), call.OptionalIn("weights")));
}

NamedTensors MeanDifferenceCase(Call& call) {
  return Out(MeanDifference(call.In("target"), call.In("value"), LossTypeOf(call, "L1"), call.OptionalIn("weights")));
}

}  // namespace

const AdapterEntry kLossAdapters[] = {
    {"losses.SpectralLoss", SpectralLossCase},
    {"losses.mean_difference", MeanDifferenceCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
