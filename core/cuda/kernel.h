// Any kernel of a step.
#pragma once

#include <variant>

#include "core/cuda/add_kernel.h"
#include "core/cuda/dense_kernel.h"
#include "core/cuda/gru_kernels.h"
#include "core/cuda/harmonic_kernel.h"
#include "core/cuda/layer_norm_kernel.h"
#include "core/cuda/noise_kernel.h"
#include "core/cuda/reverb_kernel.h"

namespace ddsp::cuda {

using Kernel = std::variant<GatherKernel, DenseKernel, LayerNormKernel, GruGatesKernel, HarmonicKernel, NoiseKernel,
                            AddKernel, ReverbKernel>;

}  // namespace ddsp::cuda
