// Notes from pitch and amplitude contours by rules of thumb (upstream: training/heuristics.py). Contours have one value
// per frame.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace ddsp {

enum class FramePosition { kFront, kCenter, kEnd };  // where in its frame a value lies: last, in the middle, first
// "front", "center", "end". Throws ValueError for others.
FramePosition ParseFramePosition(std::string_view name);

// What is repeated at the ends of a contour.
enum class EndValues {
  kExact,
  kTruncated,  // to whole numbers, even of pitch: upstream
};

// Repeats the end values so that every value gets a frame of `frame_width` at a step of one. Upstream: pad_for_frame.
std::vector<double> PadForFrame(absl::Span<const double> values, FramePosition position, int64_t frame_width,
                                EndValues ends = EndValues::kExact);

// Whether log amplitudes lie above the mean less `num_devs` standard deviations of their neighbourhood. Upstream:
// amp_pooled_outliers.
std::vector<bool> AmpPooledOutliers(absl::Span<const double> amplitudes, int64_t frame_width = 80, double num_devs = 2,
                                    EndValues ends = EndValues::kExact);

// False where the pitch (Hz) has moved by more than 0.75 semitones within 2 ... 32 frames, once for each move, or is 0.
// Upstream: strided_freq_change.
std::vector<bool> StridedFreqChange(absl::Span<const double> f0_hz, EndValues ends = EndValues::kExact);

enum class ShortNotes {
  kRemove,
  kGlueBack
};  // kGlueBack: joined to the note before. Upstream: glue_back = false, true
// Removes runs of less than min_samples frames; one at the very end stays. Upstream: remove_short.
std::vector<bool> RemoveShort(std::vector<bool> is_on, int64_t min_samples = 20,
                              ShortNotes short_notes = ShortNotes::kRemove);

// Both of the above without notes shorter than 10 frames. Upstream: midi_heuristic.
std::vector<bool> MidiHeuristic(absl::Span<const double> f0_hz, absl::Span<const double> amplitudes,
                                EndValues ends = EndValues::kExact);

struct SegmentedNote {
  double start = 0.0, end = 0.0;  // seconds
  int64_t pitch = 0;              // MIDI, rounded
};
enum class NotePitch { kMean, kMedian };  // of the frames' frequencies
// One note for each run of `is_on`; f0_hz has as many frames, frame_rate (Hz) of them a second. Upstream:
// segment_notes.
std::vector<SegmentedNote> SegmentNotes(const std::vector<bool>& is_on, absl::Span<const double> f0_hz, NotePitch pitch,
                                        double frame_rate = 250);

}  // namespace ddsp
