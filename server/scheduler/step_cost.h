#pragma once

#include "absl/time/time.h"

namespace ddsp::server {

// Device time of a step: something for the step, and something for each of its streams.
struct StepCost {
  absl::Duration fixed, each;

  absl::Duration Of(double streams) const { return fixed + streams * each; }

  // The line through two measurements, of few and of many streams; neither part is negative.
  static StepCost Through(int few, absl::Duration few_took, int many, absl::Duration many_took) {
    if (many <= few) return {.fixed = absl::ZeroDuration(), .each = many_took / many};
    absl::Duration each = (many_took - few_took) / (many - few);
    if (each < absl::ZeroDuration()) each = absl::ZeroDuration();
    if (few * each > few_took) each = many_took / many;
    const absl::Duration fixed = many_took - many * each;
    return {.fixed = fixed, .each = each};
  }
};

}  // namespace ddsp::server
