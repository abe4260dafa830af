#include "tests/client/sdk/toy_session.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ddsp::client {
namespace {

float Play(float sample, float gain, float* memory) {
  *memory = 0.75f * *memory + sample;
  return gain * *memory;
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!floats.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

std::string Bytes(const std::vector<float>& floats) {
  return std::string(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
}

}  // namespace

std::vector<float> ToyAnswer(absl::Span<const float> input) {
  std::vector<float> answer;
  float memory = 0;
  for (const float sample : input) answer.push_back(Play(sample, 1, &memory));
  return answer;
}

ToySession::Responses ToySession::Take(const v1::StreamSessionRequest& request) {
  Responses out;
  if (request.has_config()) {
    Start(request.config(), &out);
  } else if (request.has_audio()) {
    TakeAudio(request.audio(), &out);
  } else if (request.has_control()) {
    if (request.control().seq() != at_.control_seq()) refusal_ = "a control block is missing or repeated";
    at_.set_control_seq(at_.control_seq() + 1);
    gain_ = std::pow(10.0f, request.control().parameters().loudness_shift_db() / 20);
  } else if (request.has_flush()) {
    Emit(1, &out);
    v1::SessionEvent& event = *out.emplace_back().mutable_event();
    event.set_kind(v1::SessionEvent::FLUSHED);
    event.set_flush_id(request.flush().id());
  } else if (request.has_ping()) {
    out.emplace_back().mutable_pong()->set_client_time_ns(request.ping().client_time_ns());
  }
  return out;
}

void ToySession::Start(const v1::SessionConfig& config, Responses* out) {
  v1::SessionStarted& started = *out->emplace_back().mutable_started();
  started.set_model("toy/" + settings_.version);
  *started.mutable_input_format() = config.input_format();
  *started.mutable_output_format() = config.output_format();
  started.set_latency_samples(settings_.latency);
  started.set_input_credit(settings_.input_credit);
  credit_ = settings_.input_credit;
  if (config.resume().empty()) return;
  v1::SessionSnapshot state;
  state.ParseFromString(config.resume());
  at_ = state.position();
  due_ = Floats(state.data());
  memory_ = due_[0];
  gain_ = due_[1];
  due_.erase(due_.begin(), due_.begin() + 2);
  *started.mutable_resumed_at() = at_;
}

v1::StreamSessionResponse ToySession::Snapshot(bool last) const {
  std::vector<float> floats = {memory_, gain_};
  floats.insert(floats.end(), due_.begin(), due_.end());
  v1::SessionSnapshot state;
  state.set_data(Bytes(floats));
  *state.mutable_position() = at_;
  v1::StreamSessionResponse response;
  v1::SessionSnapshot& snapshot = *response.mutable_snapshot();
  snapshot.set_data(state.SerializeAsString());
  *snapshot.mutable_position() = at_;
  snapshot.set_last(last);
  return response;
}

void ToySession::TakeAudio(const v1::AudioBlock& block, Responses* out) {
  const std::vector<float> samples = Floats(block.data());
  const auto count = static_cast<int64_t>(samples.size());
  if (block.seq() != at_.input_seq() || block.start_sample() != at_.input_sample()) {
    refusal_ = "an audio block is missing or repeated";
  }
  if (count > credit_) refusal_ = "more was sent than granted";
  at_.set_input_seq(at_.input_seq() + 1);
  at_.set_input_sample(at_.input_sample() + count);
  for (const float sample : samples) due_.push_back(Play(sample, gain_, &memory_));
  out->emplace_back().mutable_credit()->set_samples(count);
  Emit(settings_.output_block, out);
  since_snapshot_ += count;
  if (settings_.snapshot_every > 0 && since_snapshot_ >= settings_.snapshot_every) {
    since_snapshot_ = 0;
    out->push_back(Snapshot(false));
  }
}

void ToySession::Emit(int64_t least, Responses* out) {
  const auto held_back = least == 0 ? 0 : settings_.latency;
  while (static_cast<int64_t>(due_.size()) - held_back >= std::max<int64_t>(1, least)) {
    const int64_t count = std::min<int64_t>(settings_.output_block, due_.size() - held_back);
    v1::AudioBlock& block = *out->emplace_back().mutable_audio();
    block.set_seq(at_.output_seq());
    block.set_start_sample(at_.output_sample());
    block.set_data(Bytes({due_.begin(), due_.begin() + count}));
    at_.set_output_seq(at_.output_seq() + 1);
    at_.set_output_sample(at_.output_sample() + count);
    due_.erase(due_.begin(), due_.begin() + count);
  }
}

ToySession::Responses ToySession::Finish() {
  Responses out;
  Emit(0, &out);
  v1::SessionSummary& summary = *out.emplace_back().mutable_summary();
  summary.set_input_samples(at_.input_sample());
  summary.set_output_samples(at_.output_sample());
  return out;
}

}  // namespace ddsp::client
