// Sample rates of whole recordings, by soxr at its very high quality. For live streams see
// core/streaming/live_resampler.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp {

// Returns ceil(samples * output_rate / input_rate) samples; sample j lies at time j / output_rate of the input's clock,
// so recordings of several rates stay lined up. Equal rates give the samples back untouched. Errors: INVALID_ARGUMENT
// (a rate below 1 Hz), INTERNAL (what soxr says).
absl::StatusOr<std::vector<float>> ResampleFile(absl::Span<const float> samples, int input_rate, int output_rate);

// The same block by block, for recordings of any length: the samples of all calls, in their order, are those of
// ResampleFile.
class FileResampler {
 public:
  static absl::StatusOr<FileResampler> Create(int input_rate, int output_rate);
  ~FileResampler();
  FileResampler(FileResampler&&) noexcept;

  // Appends what is ready to `out`.
  absl::Status Push(absl::Span<const float> samples, std::vector<float>* out);
  // No more input: appends the rest.
  absl::Status Finish(std::vector<float>* out);

 private:
  struct Soxr;
  FileResampler(int input_rate, int output_rate, std::unique_ptr<Soxr> soxr);
  absl::Status Process(absl::Span<const float> samples, std::vector<float>* out);

  int input_rate_, output_rate_;
  std::unique_ptr<Soxr> soxr_;  // none for equal rates
  int64_t taken_ = 0, made_ = 0;
};

}  // namespace ddsp
