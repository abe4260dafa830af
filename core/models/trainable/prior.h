// Losses of one tensor, as regularisers (upstream: harmonic_distribution_prior of InverseSynthesis, z_global_prior and
// z_note_prior of ZMidiAutoencoder). Upstream 3.7.0 leaves room for them and has none: each of its losses compares two
// tensors. Callers bring their own.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>
#include <string>

namespace ddsp {

// On a control [batch, frames, channels].
struct ControlPrior {
  std::string name;                                         // of the loss
  std::function<at::Tensor(const at::Tensor& value)> loss;  // a scalar; empty: there is no prior
};

// On a latent [batch, frames, channels], and what goes on in its place.
struct LatentPrior {
  std::string name;
  std::function<at::Tensor(const at::Tensor& z)> loss;  // a scalar; empty: there is no prior
  // Upstream calls the prior to sample the posterior. Empty: z itself goes on.
  std::function<at::Tensor(const at::Tensor& z, const std::optional<at::Generator>& generator)> sample;
  int64_t sample_channels = 0;  // of what `sample` returns; 0: as many as z has
};

}  // namespace ddsp
