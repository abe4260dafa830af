// Which frames of a recording are notes (upstream: training/postprocessing.py). Whole-file statistics: not for streams.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// Box filter over [time] or [batch, time], zeros beyond the ends: y[n] is the mean of filter_size values, of which
// (filter_size - 1) / 2 (rounded down) lie before n. Upstream: smooth.
at::Tensor Smooth(const at::Tensor& x, int64_t filter_size = 3);

struct DetectNotesOptions {
  double note_threshold = 1.0;
  double exponent = 2.0;   // of the confidence
  int64_t smoothing = 40;  // frames
  double f0_confidence_threshold = 0.7;
  double min_db = -80.0;
};
struct DetectedNotes {
  at::Tensor mask_on;        // bool: the ratio reaches note_threshold
  at::Tensor note_on_ratio;  // smoothed confidence times level above min_db, relative to its mean over everything given
};
// loudness_db, f0_confidence [time] or [batch, time]. Upstream: detect_notes.
DetectedNotes DetectNotes(const at::Tensor& loudness_db, const at::Tensor& f0_confidence,
                          const DetectNotesOptions& options = {});

}  // namespace ddsp
