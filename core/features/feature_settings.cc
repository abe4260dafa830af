#include "core/features/feature_settings.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ddsp {
namespace {

absl::Status Invalid(absl::string_view name, double value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("feature settings: ", name, " is ", value, ", expected ", expected));
}

bool IsPowerOfTwo(int n) { return n > 0 && (n & (n - 1)) == 0; }

}  // namespace

absl::Status ValidateFeatureSettings(const FeatureSettings& s) {
  if (s.version != FeatureSettings::kVersion) {
    return Invalid("version", s.version, absl::StrCat(int{FeatureSettings::kVersion}));
  }
  if (s.sample_rate != 16000) return Invalid("sample_rate", s.sample_rate, "16000");
  if (s.frame_rate < 25 || s.frame_rate > 250 || s.sample_rate % s.frame_rate != 0) {
    return Invalid("frame_rate", s.frame_rate, absl::StrCat("a divisor of ", s.sample_rate, " from 25 to 250"));
  }
  if (s.power_frame_size < 64 || s.power_frame_size > 1024 || s.power_frame_size % 2 != 0) {
    return Invalid("power_frame_size", s.power_frame_size, "an even number from 64 to 1024");
  }
  if (s.loudness_fft_size < 64 || s.loudness_fft_size > 1024 || !IsPowerOfTwo(s.loudness_fft_size)) {
    return Invalid("loudness_fft_size", s.loudness_fft_size, "a power of two from 64 to 1024");
  }
  // Written so that NaN is out of range too.
  if (!(s.min_f0_hz >= 50.0f && s.min_f0_hz <= 1050.0f)) return Invalid("min_f0_hz", s.min_f0_hz, "50 to 1050 Hz");
  if (!(s.max_f0_hz >= 2.0f * s.min_f0_hz && s.max_f0_hz <= 2100.0f)) {
    return Invalid("max_f0_hz", s.max_f0_hz, "twice min_f0_hz to 2100 Hz");
  }
  return absl::OkStatus();
}

}  // namespace ddsp
