// The constructor arguments of losses, with upstream's names and defaults.
#pragma once

#include "core/losses/consistency.h"
#include "core/losses/spectral_loss.h"
#include "core/processors/constructor_args.h"

namespace ddsp {

// Problems go to `args`.
LossType ReadLossType(ArgReader& args);
SpectralLossOptions ReadSpectralLoss(ArgReader& args);
HarmonicConsistencyOptions ReadHarmonicConsistency(ArgReader& args);
KdeConsistencyOptions ReadKdeConsistency(ArgReader& args);
TwmOptions ReadTwm(ArgReader& args);

}  // namespace ddsp
