// Records of made-up notes (upstream: training/data.py, SyntheticNotes, over what ddsp_generate_synthetic_dataset
// writes). Values are stored flat; f0_hz, one value a frame, says how they were shaped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/datasets/example_record.h"

namespace ddsp {

struct NotesSizes {
  int64_t n_timesteps = 0;  // frames
  int64_t n_harmonics = 0;  // also the number of sinusoids
  int64_t n_mags = 0;       // bands of the noise filter

  bool operator==(const NotesSizes&) const = default;
};

// "n_timesteps 125, n_harmonics 100, n_mags 65".
std::string ToString(const NotesSizes& sizes);

// Whether a record has notes rather than a recording: the feature sin_amps.
bool HasNotes(const ExampleRecord& record);

// Errors: INVALID_ARGUMENT naming the feature that is missing, has other than finite floats, or a number of values that
// does not fit that of another: harm_amp has as many as f0_hz, harm_dist and noise_magnitudes a multiple of it,
// sin_amps and sin_freqs as many as harm_dist.
absl::StatusOr<NotesSizes> NotesSizesOf(const ExampleRecord& record);

// Shapes by feature, those of synthetic_notes.h: f0_hz [n_timesteps, 1], ...
std::map<std::string, std::vector<int64_t>> ShapesOf(const NotesSizes& sizes);

}  // namespace ddsp
