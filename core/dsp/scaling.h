// Bounded nonlinearities from network outputs to synthesiser controls (upstream: core.py, scaling functions).
#pragma once

#include <ATen/ATen.h>

#include <string_view>

#include "absl/status/statusor.h"

namespace ddsp {

// max_value * sigmoid(x)^ln(exponent) + threshold, so the supremum is max_value + threshold. Upstream: exp_sigmoid.
at::Tensor ExpSigmoid(const at::Tensor& x, double exponent = 10.0, double max_value = 2.0, double threshold = 1e-7);

// exp_sigmoid of width * (|x| / 2 - 1). Upstream: sym_exp_sigmoid.
at::Tensor SymExpSigmoid(const at::Tensor& x, double width = 8.0);

// The elementwise scale functions that processors take by name.
enum class ScaleFn { kNone, kExpSigmoid, kSymExpSigmoid, kSigmoid };
// kNone gives x itself, kSigmoid is in (0, 1).
at::Tensor ApplyScale(ScaleFn fn, const at::Tensor& x);
// Upstream names: "core.exp_sigmoid", "core.sym_exp_sigmoid", "tf.nn.sigmoid"; "" is kNone. Errors: INVALID_ARGUMENT.
absl::StatusOr<ScaleFn> ParseScaleFn(std::string_view name);

// Network outputs [batch, time, sinusoids * depth] or [batch, time, sinusoids, depth] to frequencies in Hz
// [batch, time, sinusoids]. `depth` counts only for the 3-D form. Upstream: frequencies_softmax, frequencies_sigmoid.
struct FrequencyScaleOptions {
  int64_t depth = 1;
  double hz_min = 20.0;
  double hz_max = 8000.0;
};
// Softmax over depth, read as a position on [hz_min, hz_max].
at::Tensor FrequenciesSoftmax(const at::Tensor& freqs, const FrequencyScaleOptions& options = {});
// A sum of sigmoids, each with a finer range. hz_min = 0 acts as 8.18 Hz in each of the terms.
at::Tensor FrequenciesSigmoid(const at::Tensor& freqs, const FrequencyScaleOptions& options = {1, 0.0, 8000.0});

// Small deviations (of the ERB's size) from centres spread evenly on the Bark or mel scale. Upstream:
// frequencies_critical_bands.
enum class CriticalBandScale { kBark, kMel };
struct CriticalBandOptions {
  int64_t depth = 1;
  double depth_scale = 10.0;
  double bandwidth_scale = 1.0;
  double hz_min = 20.0;
  double hz_max = 8000.0;
  CriticalBandScale scale = CriticalBandScale::kBark;
};
at::Tensor FrequenciesCriticalBands(const at::Tensor& freqs, const CriticalBandOptions& options = {});

}  // namespace ddsp
