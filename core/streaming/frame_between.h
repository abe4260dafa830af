// Features between two frames of the extractor, for a decoder that makes frames faster.
#pragma once

#include "core/features/feature_extractor.h"

namespace ddsp {

// The frame at `share` of the way from one frame to the next, 0 <= share <= 1; exactly `to` at 1.
//
// Levels are linear in dB. f0 is linear in semitones while one note goes on: both frames voiced, at most
// kGlideSemitones apart. Where it leaps (another note, or the end of an unvoiced stretch, which holds the pitch of
// before) the nearer frame's is taken: the leap happens between two frames of the decoder, as it would had they been
// analysed there.
FeatureFrame FrameBetween(const FeatureFrame& from, const FeatureFrame& to, double share);

// More than a glide can do in the 20 ms between two frames: a deep vibrato of 7 Hz makes 0.9 semitones.
inline constexpr double kGlideSemitones = 2;

}  // namespace ddsp
