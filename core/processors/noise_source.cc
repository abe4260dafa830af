#include "core/processors/noise_source.h"

#include "core/dsp/argument.h"
#include "core/kernels/noise.h"

namespace ddsp {

using at::Tensor;

uint64_t SeedOfDraw(uint64_t seed, int64_t draw) { return seed + static_cast<uint64_t>(draw) * 0x9E3779B97F4A7C15; }

at::Tensor CounterNoise(uint64_t seed, int64_t batch, int64_t first, int64_t samples) {
  constexpr uint64_t kRow = 0xD1B54A32D192ED03;  // odd, so that no two rows share a seed
  Tensor noise = at::empty({batch, samples});
  float* out = noise.data_ptr<float>();
  for (int64_t row = 0; row < batch; ++row) {
    kernels::UniformNoise(seed ^ (static_cast<uint64_t>(row) * kRow), first,
                          absl::MakeSpan(out + row * samples, samples));
  }
  return noise;
}

at::Tensor UniformNoise(const ProcessorContext& context, at::IntArrayRef shape, const at::TensorOptions& options) {
  if (!context.noise.defined()) {
    if (!context.seed) return at::rand(shape, context.generator, options) * 2 - 1;
    return CounterNoise(*context.seed, shape[0], 0, shape[1]).to(options);
  }
  DDSP_CHECK_ARGUMENT(context.noise.sizes() == shape, "noise has shape ", context.noise.sizes(), ", expected ", shape);
  return context.noise;
}

at::Tensor ItemNoise(const ProcessorContext& context, at::IntArrayRef shape, const at::TensorOptions& options) {
  const BatchPart& part = context.part;
  if (part.whole == 0 || context.noise.defined()) return UniformNoise(context, shape, options);
  DDSP_CHECK_ARGUMENT(part.begin >= 0 && part.begin + shape[0] <= part.whole, shape[0], " rows of noise from ",
                      part.begin, " on are no part of a batch of ", part.whole);
  return UniformNoise(context, {part.whole, shape[1]}, options).narrow(0, part.begin, shape[0]);
}

NoiseSource::NoiseSource(const ProcessorContext& context) : given_(context.noise) {
  if (given_.defined()) return;
  const auto drawn = [&] { return at::randint(INT64_MAX, {1}, context.generator, at::kLong).item<int64_t>(); };
  seed_ = context.seed ? *context.seed : static_cast<uint64_t>(drawn());
}

at::Tensor NoiseSource::Read(int64_t batch, int64_t first, int64_t samples) const {
  if (!given_.defined()) return CounterNoise(seed_, batch, first, samples);
  DDSP_CHECK_ARGUMENT(given_.dim() == 2 && given_.size(0) == batch && given_.size(1) >= first + samples,
                      "noise has shape ", given_.sizes(), ", expected a batch of ", batch, " and at least ",
                      first + samples, " samples");
  return given_.narrow(1, first, samples);
}

}  // namespace ddsp
