#include "server/session/responses.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ddsp::server {
namespace {

v1::AudioEncoding EncodingOnWire(Encoding encoding) {
  switch (encoding) {
    case Encoding::kPcm16:
      return v1::PCM_S16LE;
    case Encoding::kPcmFloat:
      return v1::PCM_F32LE;
    case Encoding::kOpus:
      break;
  }
  return v1::OPUS;
}

void FillFormat(const WireFormat& format, v1::AudioFormat* wire) {
  wire->set_encoding(EncodingOnWire(format.encoding));
  wire->set_sample_rate_hz(format.sample_rate);
  wire->set_channels(1);
}

}  // namespace

v1::StreamSessionResponse MakeStarted(const StartedFacts& facts) {
  v1::StreamSessionResponse response;
  v1::SessionStarted* started = response.mutable_started();
  const SessionPlan& plan = facts.plan;
  const StreamFormat& voice = facts.voice.format(plan.input);
  started->set_session_id(facts.session_id);
  started->set_model(facts.voice.id());
  FillFormat(plan.input_format, started->mutable_input_format());
  if (plan.audio_out) {
    FillFormat(plan.output_format, started->mutable_output_format());
    started->set_tail_samples(facts.stream.tail());
    started->set_output_block_samples(facts.stream.output_block());
    started->set_output_codec_delay_samples(facts.stream.output_codec_delay());
  }
  started->set_latency_samples(facts.stream.latency());
  started->set_input_credit(InputWindow(plan.input_format, facts.limits));
  started->set_profile(plan.settings.profile.has_value() ? plan.settings.profile->name : "neutral");
  started->set_input_codec_delay_samples(facts.input_codec_delay);
  started->set_hop_size(voice.hop_size);
  started->set_model_sample_rate_hz(voice.sample_rate);
  started->set_max_block_bytes(static_cast<int32_t>(facts.limits.max_block_bytes));
  if (facts.resumed_at != nullptr) *started->mutable_resumed_at() = *facts.resumed_at;
  return response;
}

v1::StreamSessionResponse MakeSnapshot(std::string sealed, const v1::SessionPosition& position, SnapshotKind kind) {
  v1::StreamSessionResponse response;
  v1::SessionSnapshot* snapshot = response.mutable_snapshot();
  snapshot->set_data(std::move(sealed));
  *snapshot->mutable_position() = position;
  snapshot->set_last(kind == SnapshotKind::kLast);
  return response;
}

v1::StreamSessionResponse MakePong(const v1::Ping& ping) {
  v1::StreamSessionResponse response;
  response.mutable_pong()->set_client_time_ns(ping.client_time_ns());
  return response;
}

v1::StreamSessionResponse MakeCredit(int64_t samples) {
  v1::StreamSessionResponse response;
  response.mutable_credit()->set_samples(samples);
  return response;
}

v1::StreamSessionResponse MakeEvent(v1::SessionEvent::Kind kind, int64_t sample, std::string detail) {
  v1::StreamSessionResponse response;
  response.mutable_event()->set_kind(kind);
  response.mutable_event()->set_sample(sample);
  response.mutable_event()->set_detail(std::move(detail));
  return response;
}

v1::StreamSessionResponse MakeDraining(int64_t sample) {
  return MakeEvent(v1::SessionEvent::DRAINING, sample, "the server takes no new sessions and will stop");
}

int64_t ClampToInt64(uint64_t count) {
  return static_cast<int64_t>(std::min<uint64_t>(count, std::numeric_limits<int64_t>::max() / 2));
}

}  // namespace ddsp::server
