// Kernels whose largest singular value is kept near one (upstream: training/nn.py, SpectralNormalization).
#pragma once

#include <string>

#include "core/nn/parameters.h"

namespace ddsp {

// What a kernel [..., out] under spectral normalisation has besides its values. As a matrix [-1, out] it is divided by
// an estimate of its largest singular value, which a power iteration improves with every step of training.
struct SpectralNormalization {
  int64_t power_iterations = 1;  // in a step
  Parameter u;                   // [1, out], the estimate's right singular vector
};

// Puts the parameter "kernel" or "embeddings" of `layer` under spectral normalisation; what wraps the layer visits its
// parameters with VisitWrapped(). Throws ValueError if it has neither, or for fewer than one iteration. Upstream:
// SpectralNormalization(layer, power_iterations).
void UseSpectralNormalization(Layer& layer, int64_t power_iterations = 1);

// The parameters of a layer that may be under spectral normalisation: then the kernel is "w", its vector "u", and what
// else there is stands below "layer/".
void VisitWrapped(Layer& layer, const std::string& prefix, const ParameterVisitor& visit);

// Normalises, in place, every kernel of `layer` that is under spectral normalisation: upstream's layers do so before
// each forward pass in training, and not otherwise. No gradient goes through it: that of a kernel is taken at its new
// values. A kernel of zeros stays.
void NormalizeWeights(Layer& layer);

}  // namespace ddsp
