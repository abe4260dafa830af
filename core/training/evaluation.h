// How well a voice plays back recordings that it never saw.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/training/example_windows.h"
#include "core/training/feature_comparison.h"
#include "core/training/train_step.h"

namespace ddsp::training {

struct Evaluation : FeatureDistances {
  double seconds = 0;  // of held-out material
  // Mean multi-scale spectral loss (L1 of magnitudes + L1 of log magnitudes, summed over the scales) over windows
  // without overlap, each from a zero state: upstream's test metric. 0: not measured.
  double spectral_loss = 0;
  // The same over the streaming engine's rendering of the whole material, state carried, reverb frozen.
  double rendered_spectral_loss = 0;

  std::string ToJson() const;
  std::string ToTable() const;
};

// What the real streaming engine makes of a segment of `dataset`, as many samples as that has.
absl::StatusOr<std::vector<float>> PlayBack(const std::shared_ptr<const Voice>& voice, const Dataset& dataset,
                                            const Segment& segment);

// Called with each segment's sounds; an error ends the evaluation.
using PlayedBack = std::function<absl::Status(const Segment& segment, const std::vector<float>& original,
                                              const std::vector<float>& rendered)>;

// Renders `segments` of `dataset` with the real streaming engine and compares; spectral_loss is left 0.
absl::StatusOr<Evaluation> EvaluateRendering(std::shared_ptr<const Voice> voice, const Dataset& dataset,
                                             const std::vector<Segment>& segments, const PlayedBack& played = nullptr);

}  // namespace ddsp::training
