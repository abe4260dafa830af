// How close synthesised audio and estimated notes come (upstream: training/metrics.py). Not differentiable.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

namespace ddsp {

inline constexpr double kMinF0Confidence = 0.85;  // below it a pitch is no reference

// |prediction - ground_truth| of the values that both have, axes of one removed. Upstream: l1_distance.
at::Tensor L1Distance(const at::Tensor& prediction, const at::Tensor& ground_truth);
// Whether no frame is confident enough. Upstream: is_outlier.
bool IsOutlier(const at::Tensor& f0_confidence);
// Mean distance in MIDI notes over the frames [time] whose confidence reaches the threshold; none if there is no such
// frame. 0 Hz counts as note 0. Upstream: f0_dist_conf_thresh.
std::optional<double> F0Distance(const at::Tensor& f0_hz, const at::Tensor& f0_hz_gen, const at::Tensor& f0_confidence,
                                 double threshold = kMinF0Confidence);

// Share of voiced reference frames (f0_hz > 0) whose estimate lies within the tolerance, octave errors forgiven or not.
// [time]. As mir_eval.melody.raw_pitch_accuracy and raw_chroma_accuracy.
enum class OctaveErrors { kCount, kForgive };
double PitchAccuracy(const at::Tensor& f0_hz, const at::Tensor& f0_hz_predict, OctaveErrors octaves,
                     double tolerance_cents = 50);

struct F0Metrics {
  double f0_dist = 0.0, raw_pitch_accuracy = 0.0, raw_chroma_accuracy = 0.0;
};
// Means over the examples [batch, time] that are no outliers; the reference is resampled to the prediction's length.
// Upstream: F0Metrics.
F0Metrics ComputeF0Metrics(const at::Tensor& f0_hz, const at::Tensor& f0_confidence, const at::Tensor& f0_hz_predict,
                           double tolerance_cents = 50);

// True and false positives and false negatives. Upstream: EvalCounts, whose f1 divides by at least 1.
struct EvalCounts {
  int64_t tp = 0, fp = 0, fn = 0;
  double Precision() const;
  double Recall() const;
  double F1() const;
};
EvalCounts operator+(const EvalCounts& a, const EvalCounts& b);

// Whether any note is active, frame by frame, in piano rolls [time, pitches]. Upstream: compute_frame_metrics.
EvalCounts CountFrames(const at::Tensor& gt_pianoroll, const at::Tensor& pred_pianoroll);

struct Note {
  double start = 0.0, end = 0.0;  // seconds
  double pitch = 0.0;             // MIDI
};
// Notes that agree in onset (50 ms), pitch (50 cents) and, if asked, offset (50 ms or a fifth of the length), each used
// once. As mir_eval.transcription.match_notes. Upstream: compute_note_metrics.
enum class NoteOffsets { kIgnore, kCompare };
EvalCounts CountNotes(const std::vector<Note>& gt, const std::vector<Note>& pred, NoteOffsets offsets);

}  // namespace ddsp
