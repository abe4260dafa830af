#pragma once

#include <span>

namespace ddsp {

// Mean power of a frame in dB re full scale: 10 log10(mean square), at least -80. The compute_power of ddsp 3.7.0 for
// one (rectangular) frame. The frame is not empty.
float FramePowerDb(std::span<const float> frame);

}  // namespace ddsp
