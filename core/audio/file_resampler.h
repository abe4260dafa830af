// Sample rates of whole recordings, by soxr at its very high quality. For live streams see
// core/streaming/live_resampler.h.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp {

// Returns ceil(samples * output_rate / input_rate) samples; sample j lies at time j / output_rate of the input's clock,
// so recordings of several rates stay lined up. Equal rates give the samples back untouched. Errors: INVALID_ARGUMENT
// (a rate below 1 Hz), INTERNAL (what soxr says).
absl::StatusOr<std::vector<float>> ResampleFile(absl::Span<const float> samples, int input_rate, int output_rate);

}  // namespace ddsp
