#include "load-tests/soak/raw_session.h"

#include <chrono>

#include "client/sdk/error.h"

namespace ddsp::soak {

v1::SessionConfig FloatConfig(const std::string& voice, int sample_rate) {
  v1::SessionConfig config;
  config.set_model(voice);
  config.mutable_input_format()->set_encoding(v1::PCM_F32LE);
  config.mutable_input_format()->set_sample_rate_hz(sample_rate);
  config.set_tail(v1::TAIL_CUT);
  return config;
}

std::string FloatBytes(absl::Span<const float> samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

RawSession::RawSession(std::shared_ptr<grpc::Channel> channel, double deadline_seconds)
    : channel_(std::move(channel)), stub_(v1::Synthesis::NewStub(channel_)) {
  context_.set_deadline(std::chrono::system_clock::now() +
                        std::chrono::microseconds(static_cast<int64_t>(deadline_seconds * 1e6)));
  stream_ = stub_->StreamSession(&context_);
}

RawSession::~RawSession() {
  if (ended_) return;
  Cancel();
  (void)End();
}

bool RawSession::SendConfig(const v1::SessionConfig& config) {
  v1::StreamSessionRequest request;
  *request.mutable_config() = config;
  return Send(request);
}

bool RawSession::SendAudio(absl::Span<const float> samples) {
  v1::StreamSessionRequest request;
  request.mutable_audio()->set_seq(seq_++);
  request.mutable_audio()->set_start_sample(sent_);
  request.mutable_audio()->set_data(FloatBytes(samples));
  sent_ += static_cast<int64_t>(samples.size());
  return Send(request);
}

bool RawSession::SendPing() {
  v1::StreamSessionRequest request;
  request.mutable_ping();
  return Send(request);
}

bool RawSession::SendFlush(uint64_t id) {
  v1::StreamSessionRequest request;
  request.mutable_flush()->set_id(id);
  return Send(request);
}

bool RawSession::Begin(const v1::SessionConfig& config) {
  v1::StreamSessionResponse response;
  return SendConfig(config) && Read(&response) && response.has_started();
}

bool RawSession::Read(v1::StreamSessionResponse* response) {
  if (ended_ || !stream_->Read(response)) return false;
  if (response->has_started()) started_ = response->started();
  if (response->has_audio()) heard_ += static_cast<int64_t>(response->audio().data().size() / sizeof(float));
  if (response->has_snapshot()) snapshot_ = response->snapshot();
  flushed_ += response->event().kind() == v1::SessionEvent::FLUSHED;
  warned_ |= response->event().kind() == v1::SessionEvent::IDLE_WARNING;
  return true;
}

absl::Status RawSession::End() {
  v1::StreamSessionResponse response;
  while (Read(&response)) {
  }
  if (!ended_) status_ = client::FromGrpc(stream_->Finish());
  ended_ = true;
  return status_;
}

void RawSession::ContinueAt(const v1::SessionPosition& position) {
  seq_ = position.input_seq();
  sent_ = static_cast<int64_t>(position.input_sample());
  heard_ = static_cast<int64_t>(position.output_sample());
}

}  // namespace ddsp::soak
