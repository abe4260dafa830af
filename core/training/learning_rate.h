#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace ddsp::training {

struct LearningRate {
  // kExponential is upstream's: peak * decay_rate ^ (step / decay_steps).
  // kWarmupCosine rises linearly over warmup_steps and falls to final_fraction of the peak along half a cosine.
  enum class Shape { kExponential, kWarmupCosine };
  Shape shape = Shape::kExponential;
  double peak = 3e-4;
  double decay_rate = 0.98;
  double decay_steps = 10000;
  int64_t warmup_steps = 100;
  int64_t total_steps = 5000;
  double final_fraction = 0.02;

  // Of the update that step `step` (from 0) makes.
  double At(int64_t step) const {
    if (shape == Shape::kExponential) return peak * std::pow(decay_rate, step / decay_steps);
    if (step < warmup_steps) return peak * (step + 1) / (warmup_steps + 1);
    const double span = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
    const double done = std::clamp((step - warmup_steps) / span, 0.0, 1.0);
    return peak * (final_fraction + (1 - final_fraction) * (1 + std::cos(std::numbers::pi * done)) / 2);
  }
};

}  // namespace ddsp::training
