#include "client/sdk/synthesis_stream.h"

#include <utility>

#include "client/sdk/all_audio.h"
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
  ASSIGN_OR_RETURN(options, CompleteOptions(std::move(options)));
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
absl::StatusOr<std::vector<float>> SynthesisStream::ReadAllAudio() { return AllAudioOf(*this); }
void SynthesisStream::Cancel() { call_->Cancel(); }

}  // namespace ddsp::client
