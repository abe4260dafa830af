#include "client/sdk/synthesis_stream.h"

#include <utility>

#include "client/sdk/channel.h"
#include "client/sdk/synthesis_call.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

absl::StatusOr<std::unique_ptr<SynthesisStream>> SynthesisStream::Open(const ServerAddress& address,
                                                                       StreamOptions options) {
  return Open(MakeChannel(address), std::move(options));
}

absl::StatusOr<std::unique_ptr<SynthesisStream>> SynthesisStream::Open(std::shared_ptr<grpc::Channel> channel,
                                                                       StreamOptions options) {
  if (options.output.sample_rate == 0) options.output.sample_rate = options.input.sample_rate;
  // A rate that a codec does not have is found out before the server is asked.
  RETURN_IF_ERROR(MakeEncoder(options.input.codec, options.input.sample_rate, options.opus_bitrate).status());
  RETURN_IF_ERROR(MakeDecoder(options.output.codec, options.output.sample_rate).status());
  auto call = std::make_unique<Call>(std::move(channel), std::move(options));
  RETURN_IF_ERROR(call->Start());
  return std::unique_ptr<SynthesisStream>(new SynthesisStream(std::move(call)));
}

SynthesisStream::SynthesisStream(std::unique_ptr<Call> call) : call_(std::move(call)) {}
SynthesisStream::~SynthesisStream() = default;

const StreamStarted& SynthesisStream::started() const { return call_->started(); }
absl::Status SynthesisStream::Write(absl::Span<const float> samples) { return call_->Write(samples); }
absl::StatusOr<size_t> SynthesisStream::TryWrite(absl::Span<const float> samples) { return call_->TryWrite(samples); }
absl::Status SynthesisStream::WriteControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  return call_->WriteControls(frames, frame_samples);
}
absl::Status SynthesisStream::ChangeParameters(int64_t sample, const Parameters& parameters) {
  return call_->SendParameters(sample, parameters);
}
absl::Status SynthesisStream::Flush(uint64_t id) {
  v1::StreamSessionRequest request;
  request.mutable_flush()->set_id(id);
  return call_->Send(std::move(request));
}
absl::Status SynthesisStream::Finish() { return call_->Finish(); }
absl::StatusOr<std::optional<StreamMessage>> SynthesisStream::Read() { return call_->Read(); }
void SynthesisStream::Cancel() { call_->Cancel(); }

absl::StatusOr<std::vector<float>> SynthesisStream::ReadAllAudio() {
  std::vector<float> samples;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<StreamMessage> message, Read());
    if (!message) return samples;
    if (const auto* audio = std::get_if<AudioBlock>(&*message)) {
      samples.insert(samples.end(), audio->samples.begin(), audio->samples.end());
    }
  }
}

}  // namespace ddsp::client
