#include "server/rpc/features_service.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/features/feature_extractor.h"
#include "server/errors/errors.h"
#include "server/rpc/unary_call.h"
#include "server/session/codec.h"

namespace ddsp::server {
namespace {

constexpr int kDefaultFrameRate = 100;

absl::StatusOr<std::vector<float>> SamplesOf(const v1::ExtractRequest& request, int sample_rate) {
  const v1::AudioFormat& format = request.format();
  std::vector<FieldViolation> problems;
  if (format.encoding() != v1::PCM_S16LE && format.encoding() != v1::PCM_F32LE) {
    problems.push_back({"format.encoding", "expected PCM_S16LE or PCM_F32LE"});
  }
  if (format.sample_rate_hz() != sample_rate) {
    problems.push_back(
        {"format.sample_rate_hz", absl::StrCat("is ", format.sample_rate_hz(), ", expected ", sample_rate)});
  }
  if (format.channels() > 1) problems.push_back({"format.channels", "expected 1"});
  if (!problems.empty()) {
    return MakeFieldError(Reason::kFormatUnsupported, "the audio's format is unsupported", problems);
  }
  const Encoding encoding = format.encoding() == v1::PCM_S16LE ? Encoding::kPcm16 : Encoding::kPcmFloat;
  const std::unique_ptr<BlockDecoder> decoder = MakeDecoder({encoding, sample_rate});
  RETURN_IF_ERROR(decoder->CountSamples(request.audio()).status());
  std::vector<float> samples;
  RETURN_IF_ERROR(decoder->Decode(request.audio(), &samples));
  return samples;
}

}  // namespace

absl::Status ExtractFeatures(const v1::ExtractRequest& request, v1::ExtractResponse* response) {
  FeatureSettings settings;
  settings.frame_rate = request.frame_rate_hz() == 0 ? kDefaultFrameRate : request.frame_rate_hz();
  const auto extractor = FeatureExtractor::Create(settings);
  if (!extractor.ok()) {
    const std::string message(extractor.status().message());
    return MakeFieldError(Reason::kInvalidConfig, message, {{"frame_rate_hz", message}});
  }
  ASSIGN_OR_RETURN(const std::vector<float> samples, SamplesOf(request, settings.sample_rate));
  v1::FeatureBlock* features = response->mutable_features();
  features->set_frame_rate_hz(settings.frame_rate);
  for (const FeatureFrame& frame : (*extractor)->Extract(samples)) {
    features->add_f0_hz(frame.f0_hz);
    features->add_f0_confidence(frame.f0_confidence);
    features->add_voiced(frame.voiced);
    features->add_loudness_db(frame.loudness_db);
    features->add_power_db(frame.power_db);
  }
  return absl::OkStatus();
}

void AddFeaturesMethods(WorkQueue& queue, MethodTable* methods) {
  methods->Add("ddsp.v1.Features", "Extract", [&queue](Call& call) {
    return MakeUnaryCall<v1::ExtractRequest, v1::ExtractResponse>(call, &queue, ExtractFeatures);
  });
}

}  // namespace ddsp::server
