// White noise for processors, uniform in [-1, 1).
#pragma once

#include <ATen/ATen.h>

#include "core/processors/processor.h"

namespace ddsp {

// The seed of a graph's draw-th processor that draws noise, from 0; the first one has the graph's own.
uint64_t SeedOfDraw(uint64_t seed, int64_t draw);

// Samples [first, first + samples) of every row: [batch, samples], float32. A pure function of seed, row and sample, so
// that blocks of a stream are parts of the whole; row 0 is kernels::UniformNoise(seed).
at::Tensor CounterNoise(uint64_t seed, int64_t batch, int64_t first, int64_t samples);

// Noise [rows, samples] for a whole call: the context's if it has some (its shape is checked), else counted from its
// seed, else drawn.
at::Tensor UniformNoise(const ProcessorContext& context, at::IntArrayRef shape, const at::TensorOptions& options);

// The same, with a row for each item of a batch: where context.part is a part of one, its rows of the whole batch's
// noise. The context's own noise is of the part. Throws ValueError for a part that does not have so many rows.
at::Tensor ItemNoise(const ProcessorContext& context, at::IntArrayRef shape, const at::TensorOptions& options);

// The same noise in pieces, for a stream. Without noise and seed a seed is drawn, once.
class NoiseSource {
 public:
  explicit NoiseSource(const ProcessorContext& context);

  // Throws ValueError beyond the end of the context's noise.
  at::Tensor Read(int64_t batch, int64_t first, int64_t samples) const;

 private:
  at::Tensor given_;
  uint64_t seed_ = 0;
};

}  // namespace ddsp
