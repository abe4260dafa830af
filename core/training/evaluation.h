// How well a voice plays back recordings that it never saw.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/training/example_windows.h"
#include "core/training/train_step.h"

namespace ddsp::training {

struct Evaluation {
  double seconds = 0;  // of held-out material
  // Mean multi-scale spectral loss (L1 of magnitudes + L1 of log magnitudes, summed over the scales) over windows
  // without overlap, each from a zero state: upstream's test metric.
  double spectral_loss = 0;
  // The same over the streaming engine's rendering of the whole material, state carried, reverb frozen.
  double rendered_spectral_loss = 0;
  double loudness_l1_db = 0;         // mean |difference| of A-weighted loudness over all frames
  double voiced_loudness_l1_db = 0;  // over frames voiced in the original
  double f0_l1_semitones = 0;  // mean |difference| of extracted pitch over frames voiced in original and rendering
  double f0_median_cents = 0;  // median |difference| of the same
  double voiced_recall = 0;    // share of the original's voiced frames that are voiced in the rendering

  std::string ToJson() const;
  std::string ToTable() const;
};

// What the real streaming engine makes of a segment of `dataset`, as many samples as that has.
absl::StatusOr<std::vector<float>> PlayBack(const std::shared_ptr<const Voice>& voice, const Dataset& dataset,
                                            const Segment& segment);

// Renders `segments` of `dataset` with the real streaming engine and compares; spectral_loss is left 0.
absl::StatusOr<Evaluation> EvaluateRendering(std::shared_ptr<const Voice> voice, const Dataset& dataset,
                                             const std::vector<Segment>& segments);

}  // namespace ddsp::training
