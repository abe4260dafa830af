#include "client/sdk/session_messages.h"

namespace ddsp::client {
namespace {

v1::AudioEncoding ToMessage(Codec codec) {
  switch (codec) {
    case Codec::kPcm16:
      return v1::PCM_S16LE;
    case Codec::kPcmFloat:
      return v1::PCM_F32LE;
    case Codec::kOpus:
      return v1::OPUS;
  }
  return v1::AUDIO_ENCODING_UNSPECIFIED;
}

Codec FromMessage(v1::AudioEncoding encoding) {
  if (encoding == v1::OPUS) return Codec::kOpus;
  return encoding == v1::PCM_S16LE ? Codec::kPcm16 : Codec::kPcmFloat;
}

AudioFormat FromMessage(const v1::AudioFormat& format) {
  return {FromMessage(format.encoding()), format.sample_rate_hz()};
}

void Fill(const AudioFormat& format, v1::AudioFormat* message) {
  message->set_encoding(ToMessage(format.codec));
  message->set_sample_rate_hz(format.sample_rate);
  message->set_channels(1);
}

void Fill(const PerformerProfile& profile, v1::PerformerProfile* message) {
  message->set_name(profile.name);
  message->mutable_power_quantiles_db()->Add(profile.power_quantiles_db.begin(), profile.power_quantiles_db.end());
  message->set_mean_pitch_midi(profile.mean_pitch_midi);
}

v1::SessionOutput ToMessage(Answer answer) {
  switch (answer) {
    case Answer::kAudio:
      return v1::SESSION_OUTPUT_AUDIO;
    case Answer::kFeatures:
      return v1::SESSION_OUTPUT_FEATURES;
    case Answer::kAudioAndFeatures:
      return v1::SESSION_OUTPUT_AUDIO_AND_FEATURES;
  }
  return v1::SESSION_OUTPUT_UNSPECIFIED;
}

}  // namespace

v1::Parameters ToMessage(const Parameters& parameters) {
  v1::Parameters message;
  if (parameters.pitch_shift_semitones) message.set_pitch_shift_semitones(*parameters.pitch_shift_semitones);
  if (parameters.loudness_shift_db) message.set_loudness_shift_db(*parameters.loudness_shift_db);
  return message;
}

v1::ControlBlock ToMessage(absl::Span<const ControlFrame> frames, int frame_samples) {
  v1::ControlBlock message;
  message.set_frame_samples(frame_samples);
  for (const ControlFrame& frame : frames) {
    v1::ControlFrame* to = message.add_frames();
    to->set_f0_hz(frame.f0_hz);
    to->set_loudness_db(frame.loudness_db);
  }
  return message;
}

v1::SessionConfig ToConfig(const StreamOptions& options) {
  v1::SessionConfig config;
  config.set_model(options.model);
  Fill(options.input, config.mutable_input_format());
  Fill(options.output, config.mutable_output_format());
  if (options.output.sample_rate == 0) config.mutable_output_format()->set_sample_rate_hz(options.input.sample_rate);
  config.set_input(options.drive == Drive::kAudio ? v1::SESSION_INPUT_AUDIO : v1::SESSION_INPUT_CONTROLS);
  config.set_output(ToMessage(options.answer));
  config.set_tail(options.tail == Tail::kRingOut ? v1::TAIL_RING_OUT : v1::TAIL_CUT);
  *config.mutable_parameters() = ToMessage(options.parameters);
  config.set_seed(options.seed);
  if (options.profile) Fill(*options.profile, config.mutable_profile());
  config.set_output_block_samples(options.output_block_samples);
  config.set_output_credit(options.max_unread_samples);
  config.set_opus_bitrate(options.opus_bitrate);
  return config;
}

StreamStarted FromMessage(const v1::SessionStarted& started) {
  StreamStarted result;
  result.session_id = started.session_id();
  result.model = started.model();
  result.profile = started.profile();
  result.input = FromMessage(started.input_format());
  result.output = FromMessage(started.output_format());
  result.latency_samples = started.latency_samples();
  result.tail_samples = started.tail_samples();
  result.output_block_samples = started.output_block_samples();
  result.input_credit = started.input_credit();
  result.hop_size = started.hop_size();
  result.model_sample_rate = started.model_sample_rate_hz();
  result.input_codec_delay = started.input_codec_delay_samples();
  result.output_codec_delay = started.output_codec_delay_samples();
  return result;
}

FeatureBlock FromMessage(const v1::FeatureBlock& block) {
  FeatureBlock result{static_cast<int64_t>(block.first_frame()), block.frame_rate_hz(), {}};
  for (int i = 0; i < block.f0_hz_size(); ++i) {
    FeatureFrame& frame = result.frames.emplace_back();
    frame.f0_hz = block.f0_hz(i);
    if (i < block.f0_confidence_size()) frame.f0_confidence = block.f0_confidence(i);
    if (i < block.voiced_size()) frame.voiced = block.voiced(i);
    if (i < block.loudness_db_size()) frame.loudness_db = block.loudness_db(i);
    if (i < block.power_db_size()) frame.power_db = block.power_db(i);
  }
  return result;
}

StreamEvent FromMessage(const v1::SessionEvent& event) {
  StreamEvent result;
  using Kind = StreamEvent::Kind;
  switch (event.kind()) {
    case v1::SessionEvent::DRAINING:
      result.kind = Kind::kDraining;
      break;
    case v1::SessionEvent::UNDERRUN:
      result.kind = Kind::kUnderrun;
      break;
    case v1::SessionEvent::FLUSHED:
      result.kind = Kind::kFlushed;
      break;
    case v1::SessionEvent::IDLE_WARNING:
      result.kind = Kind::kIdleWarning;
      break;
    default:
      break;
  }
  result.sample = event.sample();
  result.detail = event.detail();
  result.flush_id = event.flush_id();
  return result;
}

StreamSummary FromMessage(const v1::SessionSummary& summary) {
  StreamSummary result;
  result.input_samples = summary.input_samples();
  result.output_samples = summary.output_samples();
  result.input_blocks = summary.input_blocks();
  result.output_blocks = summary.output_blocks();
  result.feature_frames = summary.feature_frames();
  return result;
}

}  // namespace ddsp::client
