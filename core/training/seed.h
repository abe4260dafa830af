#pragma once

#include "core/base/seed.h"

namespace ddsp::training {

using ddsp::DeriveSeed;

}  // namespace ddsp::training
