#include "core/audio/file_resampler.h"

#include <soxr.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {

namespace {

absl::Status CheckRates(int input_rate, int output_rate) {
  if (input_rate >= 1 && output_rate >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("cannot resample from ", input_rate, " Hz to ", output_rate, " Hz"));
}

int64_t OutputSamples(int64_t samples, int input_rate, int output_rate) {
  return (samples * output_rate + input_rate - 1) / input_rate;
}

}  // namespace

absl::StatusOr<std::vector<float>> ResampleFile(absl::Span<const float> samples, int input_rate, int output_rate) {
  RETURN_IF_ERROR(CheckRates(input_rate, output_rate));
  if (input_rate == output_rate || samples.empty()) return std::vector<float>(samples.begin(), samples.end());
  const int64_t wanted = OutputSamples(static_cast<int64_t>(samples.size()), input_rate, output_rate);
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

struct FileResampler::Soxr {
  ~Soxr() { soxr_delete(handle); }
  soxr_t handle = nullptr;
};

FileResampler::FileResampler(int input_rate, int output_rate, std::unique_ptr<Soxr> soxr)
    : input_rate_(input_rate), output_rate_(output_rate), soxr_(std::move(soxr)) {}
FileResampler::~FileResampler() = default;
FileResampler::FileResampler(FileResampler&&) noexcept = default;

absl::StatusOr<FileResampler> FileResampler::Create(int input_rate, int output_rate) {
  RETURN_IF_ERROR(CheckRates(input_rate, output_rate));
  if (input_rate == output_rate) return FileResampler(input_rate, output_rate, nullptr);
  auto soxr = std::make_unique<Soxr>();
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  soxr_error_t error = nullptr;
  soxr->handle = soxr_create(input_rate, output_rate, 1, &error, nullptr, &quality, nullptr);
  if (error != nullptr) return absl::InternalError(absl::StrCat("soxr: ", error));
  return FileResampler(input_rate, output_rate, std::move(soxr));
}

absl::Status FileResampler::Process(absl::Span<const float> samples, std::vector<float>* out) {
  const bool flush = samples.empty();
  for (size_t used = 0, made = 1; used < samples.size() || made > 0;) {
    const size_t begin = out->size(), room = 8192;
    out->resize(begin + room);
    size_t consumed = 0;
    const soxr_error_t error = soxr_process(soxr_->handle, flush ? nullptr : samples.data() + used,
                                            samples.size() - used, &consumed, out->data() + begin, room, &made);
    out->resize(begin + made);
    if (error != nullptr) return absl::InternalError(absl::StrCat("soxr: ", error));
    used += consumed;
    made_ += static_cast<int64_t>(made);
  }
  return absl::OkStatus();
}

absl::Status FileResampler::Push(absl::Span<const float> samples, std::vector<float>* out) {
  taken_ += static_cast<int64_t>(samples.size());
  if (samples.empty()) return absl::OkStatus();
  if (soxr_ != nullptr) return Process(samples, out);
  out->insert(out->end(), samples.begin(), samples.end());
  made_ += static_cast<int64_t>(samples.size());
  return absl::OkStatus();
}

absl::Status FileResampler::Finish(std::vector<float>* out) {
  if (soxr_ != nullptr && taken_ > 0) RETURN_IF_ERROR(Process({}, out));
  // soxr rounds the length its own way, by a sample.
  const int64_t missing = OutputSamples(taken_, input_rate_, output_rate_) - made_;
  out->resize(std::max<int64_t>(0, static_cast<int64_t>(out->size()) + missing));
  made_ += missing;
  return absl::OkStatus();
}

}  // namespace ddsp
