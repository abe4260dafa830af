#include "core/audio/file_resampler.h"

#include <soxr.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ddsp {

absl::StatusOr<std::vector<float>> ResampleFile(absl::Span<const float> samples, int input_rate, int output_rate) {
  if (input_rate < 1 || output_rate < 1) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resample from ", input_rate, " Hz to ", output_rate, " Hz"));
  }
  if (input_rate == output_rate || samples.empty()) return std::vector<float>(samples.begin(), samples.end());
  const int64_t wanted = (static_cast<int64_t>(samples.size()) * output_rate + input_rate - 1) / input_rate;
  // One spare sample: soxr rounds the length its own way.
  std::vector<float> out(wanted + 1);
  size_t used = 0, made = 0;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_error_t error = soxr_oneshot(input_rate, output_rate, 1, samples.data(), samples.size(), &used, out.data(),
                                          out.size(), &made, nullptr, &quality, nullptr);
  if (error != nullptr) return absl::InternalError(absl::StrCat("soxr: ", error));
  out.resize(wanted);
  return out;
}

}  // namespace ddsp
