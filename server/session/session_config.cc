#include "server/session/session_config.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/models/performer_profile.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr int kMinRate = 8000, kMaxRate = 48000;
constexpr int kMaxOpusPacketMs = 120;
constexpr double kMaxPitchShift = 48, kMaxLoudnessShift = 60;
constexpr size_t kMaxProfileName = 64;
constexpr int kMinBitrate = 6000, kMaxBitrate = 510000;
constexpr absl::Duration kMaxLatencyGoal = absl::Minutes(1);
constexpr absl::Duration kShortestSnapshotInterval = absl::Milliseconds(100), kLongestSnapshotInterval = absl::Hours(1);

bool IsOpusRate(int rate) { return std::set<int>{8000, 12000, 16000, 24000, 48000}.count(rate) > 0; }

// Packet lengths of Opus in units of 0.1 ms; longer ones exist, but only as several frames in one packet.
constexpr int kOpusPackets[] = {25, 50, 100, 200, 400, 600};

bool IsOpusPacket(int samples, int rate) {
  return std::any_of(std::begin(kOpusPackets), std::end(kOpusPackets),
                     [&](int length) { return int64_t{samples} * 10000 == int64_t{length} * rate; });
}

int BytesPerSample(Encoding encoding) { return encoding == Encoding::kPcmFloat ? 4 : 2; }

// Collects problems, so that a client hears of all of them at once.
class Problems {
 public:
  void Format(std::string field, std::string text) {
    format_ = true;
    Add(std::move(field), std::move(text));
  }
  void Add(std::string field, std::string text) { violations_.push_back({std::move(field), std::move(text)}); }

  absl::Status AsStatus(Reason reason) const {
    if (violations_.empty()) return absl::OkStatus();
    const std::string text = absl::StrJoin(violations_, "; ", [](std::string* out, const FieldViolation& violation) {
      absl::StrAppend(out, violation.field, ": ", violation.description);
    });
    return MakeFieldError(format_ ? Reason::kFormatUnsupported : reason, text, violations_);
  }

 private:
  bool format_ = false;
  std::vector<FieldViolation> violations_;
};

Encoding ReadEncoding(const std::string& field, v1::AudioEncoding encoding, Problems* problems) {
  switch (encoding) {
    case v1::PCM_S16LE:
      return Encoding::kPcm16;
    case v1::PCM_F32LE:
      return Encoding::kPcmFloat;
    case v1::OPUS:
      return Encoding::kOpus;
    default:
      problems->Format(field + ".encoding",
                       absl::StrCat("encoding ", static_cast<int>(encoding), " is none of PCM_S16LE, PCM_F32LE, OPUS"));
      return Encoding::kPcmFloat;
  }
}

void CheckRate(const std::string& field, const WireFormat& format, Problems* problems) {
  const int rate = format.sample_rate;
  if (rate < kMinRate || rate > kMaxRate) {
    problems->Format(field + ".sample_rate_hz", absl::StrCat(rate, " Hz is outside ", kMinRate, "..", kMaxRate));
  } else if (format.encoding == Encoding::kOpus && !IsOpusRate(rate)) {
    problems->Format(field + ".sample_rate_hz",
                     absl::StrCat(rate, " Hz is none of Opus: 8000, 12000, 16000, 24000, 48000"));
  }
}

WireFormat ReadFormat(const std::string& field, const v1::AudioFormat& wire, Problems* problems) {
  if (wire.channels() != 0 && wire.channels() != 1) {
    problems->Format(field + ".channels", absl::StrCat(wire.channels(), " channels; only 1 is supported"));
  }
  WireFormat format{.encoding = ReadEncoding(field, wire.encoding(), problems), .sample_rate = wire.sample_rate_hz()};
  CheckRate(field, format, problems);
  return format;
}

// A session that is driven by controls has a clock, but no encoding.
WireFormat ReadControlClock(const v1::SessionConfig& config, Problems* problems) {
  WireFormat format;
  format.sample_rate = config.input_format().sample_rate_hz();
  if (format.sample_rate == 0) format.sample_rate = config.output_format().sample_rate_hz();
  CheckRate("input_format", format, problems);
  return format;
}

v1::AudioFormat WithDefaults(v1::AudioFormat output, const v1::AudioFormat& input, int input_rate) {
  if (output.encoding() == v1::AUDIO_ENCODING_UNSPECIFIED) output.set_encoding(input.encoding());
  if (output.sample_rate_hz() == 0) output.set_sample_rate_hz(input_rate);
  return output;
}

void ReadInputAndOutput(const v1::SessionConfig& config, SessionPlan* plan, Problems* problems) {
  if (!v1::SessionInput_IsValid(config.input())) problems->Add("input", absl::StrCat("unknown value ", config.input()));
  if (!v1::SessionOutput_IsValid(config.output()))
    problems->Add("output", absl::StrCat("unknown value ", config.output()));
  if (config.input() == v1::SESSION_INPUT_CONTROLS) plan->input = StreamInput::kControls;
  plan->settings.input = plan->input;
  plan->audio_out = config.output() != v1::SESSION_OUTPUT_FEATURES;
  plan->features_out =
      config.output() == v1::SESSION_OUTPUT_FEATURES || config.output() == v1::SESSION_OUTPUT_AUDIO_AND_FEATURES;
  if (plan->features_out && plan->input == StreamInput::kControls) {
    problems->Add("output", "a session that is driven by controls has no features");
  }
  plan->model = config.model();
  if (plan->needs_voice() && plan->model.empty())
    problems->Add("model", "is empty; only features can do without a model");
}

void ReadFormats(const v1::SessionConfig& config, SessionPlan* plan, Problems* problems) {
  plan->input_format = plan->input == StreamInput::kAudio ? ReadFormat("input_format", config.input_format(), problems)
                                                          : ReadControlClock(config, problems);
  plan->output_format = plan->input_format;
  if (!plan->audio_out) return;
  plan->output_format =
      ReadFormat("output_format",
                 WithDefaults(config.output_format(), config.input_format(), plan->input_format.sample_rate), problems);
}

void ReadBlock(const v1::SessionConfig& config, const SessionLimits& limits, SessionPlan* plan, Problems* problems) {
  plan->output_block = config.output_block_samples();
  if (plan->output_block == 0) return;
  const WireFormat& output = plan->output_format;
  const int64_t longest =
      std::min<int64_t>(output.sample_rate, limits.max_block_bytes / BytesPerSample(output.encoding));
  if (plan->output_block < 0 || plan->output_block > longest) {
    problems->Add("output_block_samples", absl::StrCat(plan->output_block, " is outside 0..", longest));
  } else if (output.encoding == Encoding::kOpus && !IsOpusPacket(plan->output_block, output.sample_rate)) {
    problems->Add("output_block_samples",
                  absl::StrCat(plan->output_block, " samples at ", output.sample_rate,
                               " Hz is no packet length of Opus (2.5, 5, 10, 20, 40 or 60 ms)"));
  }
}

void ReadProfile(const v1::PerformerProfile& wire, SessionPlan* plan, Problems* problems) {
  PerformerProfile profile;
  profile.name = wire.name();
  profile.power_quantiles_db.assign(wire.power_quantiles_db().begin(), wire.power_quantiles_db().end());
  profile.mean_pitch_midi = wire.mean_pitch_midi();
  if (profile.name.size() > kMaxProfileName) {
    problems->Add("profile.name", absl::StrCat("is longer than ", kMaxProfileName, " bytes"));
  } else if (absl::Status valid = ValidateProfile(profile); !valid.ok()) {
    problems->Add("profile", std::string(valid.message()));
  }
  plan->settings.profile = std::move(profile);
}

void ReadTiming(const v1::SessionConfig& config, SessionPlan* plan, Problems* problems) {
  if (!v1::Tail_IsValid(config.tail())) problems->Add("tail", absl::StrCat("unknown value ", config.tail()));
  if (!v1::QualityOfService_IsValid(config.qos())) problems->Add("qos", absl::StrCat("unknown value ", config.qos()));
  plan->tail = config.tail() == v1::TAIL_CUT ? TailPolicy::kCut : TailPolicy::kRingOut;
  plan->qos =
      config.qos() == v1::QUALITY_OF_SERVICE_THROUGHPUT ? QualityOfService::kThroughput : QualityOfService::kRealtime;
  if (config.has_max_block_latency()) {
    const absl::Duration latency =
        absl::Seconds(config.max_block_latency().seconds()) + absl::Nanoseconds(config.max_block_latency().nanos());
    if (latency <= absl::ZeroDuration() || latency > kMaxLatencyGoal) {
      problems->Add("max_block_latency", absl::StrCat(absl::FormatDuration(latency), " is outside 0..60s"));
    }
    plan->max_block_latency = latency;
  }
  constexpr uint64_t kMostCredit = uint64_t{1} << 62;
  plan->output_credit = static_cast<int64_t>(std::min(config.output_credit(), kMostCredit));
}

void ReadSnapshots(const v1::SessionConfig& config, SessionPlan* plan, Problems* problems) {
  if (!config.has_snapshot_interval()) return;
  plan->snapshot_interval =
      absl::Seconds(config.snapshot_interval().seconds()) + absl::Nanoseconds(config.snapshot_interval().nanos());
  plan->settings.resumable = true;
  if (plan->snapshot_interval < kShortestSnapshotInterval || plan->snapshot_interval > kLongestSnapshotInterval) {
    problems->Add("snapshot_interval",
                  absl::StrCat(absl::FormatDuration(plan->snapshot_interval), " is outside 100ms..1h"));
  }
}

void ReadOpus(const v1::SessionConfig& config, SessionPlan* plan, Problems* problems) {
  plan->opus_bitrate = config.opus_bitrate();
  if (plan->opus_bitrate != 0 && (plan->opus_bitrate < kMinBitrate || plan->opus_bitrate > kMaxBitrate)) {
    problems->Add("opus_bitrate", absl::StrCat(plan->opus_bitrate, " is outside ", kMinBitrate, "..", kMaxBitrate));
  }
  if (!config.has_input_codec_delay_samples()) return;
  if (config.input_codec_delay_samples() > static_cast<uint32_t>(kMaxRate)) {
    problems->Add("input_codec_delay_samples",
                  absl::StrCat(config.input_codec_delay_samples(), " is more than ", kMaxRate));
    return;
  }
  plan->input_codec_delay = static_cast<int>(config.input_codec_delay_samples());
}

// Reads one parameter; written so that NaN is out of range too.
void ReadShift(const char* field, double value, double limit, double* out, Problems* problems) {
  if (value >= -limit && value <= limit) {
    *out = value;
  } else {
    problems->Add(field, absl::StrCat(value, " is outside ", -limit, "..", limit));
  }
}

StreamParameters ReadParameters(const v1::Parameters& wire, StreamParameters parameters, Problems* problems) {
  if (wire.has_pitch_shift_semitones()) {
    ReadShift("parameters.pitch_shift_semitones", wire.pitch_shift_semitones(), kMaxPitchShift,
              &parameters.pitch_shift_semitones, problems);
  }
  if (wire.has_loudness_shift_db()) {
    ReadShift("parameters.loudness_shift_db", wire.loudness_shift_db(), kMaxLoudnessShift,
              &parameters.loudness_shift_db, problems);
  }
  return parameters;
}

}  // namespace

absl::StatusOr<SessionPlan> PlanSession(const v1::SessionConfig& config, const SessionLimits& limits) {
  SessionPlan plan;
  Problems problems;
  ReadInputAndOutput(config, &plan, &problems);
  ReadFormats(config, &plan, &problems);
  ReadBlock(config, limits, &plan, &problems);
  ReadTiming(config, &plan, &problems);
  ReadOpus(config, &plan, &problems);
  ReadSnapshots(config, &plan, &problems);
  if (config.has_adjust()) {
    problems.Add("adjust", "needs the whole recording, which a live stream has not: call Render, or give a profile");
  }
  plan.parameters = ReadParameters(config.parameters(), plan.parameters, &problems);
  plan.settings.seed = config.seed();
  if (config.has_profile()) ReadProfile(config.profile(), &plan, &problems);
  if (absl::Status status = problems.AsStatus(Reason::kInvalidConfig); !status.ok()) return status;
  return plan;
}

absl::StatusOr<StreamParameters> MergeParameters(const v1::Parameters& wire, StreamParameters base) {
  Problems problems;
  const StreamParameters merged = ReadParameters(wire, base, &problems);
  if (absl::Status status = problems.AsStatus(Reason::kInvalidControl); !status.ok()) return status;
  return merged;
}

int DefaultBlock(const WireFormat& output, const StreamFormat& voice) {
  const int64_t rate = output.sample_rate;
  const int64_t hop = (int64_t{voice.hop_size} * rate + voice.sample_rate - 1) / voice.sample_rate;
  if (output.encoding != Encoding::kOpus) return static_cast<int>(std::max(rate / 50, hop));
  for (const int length : kOpusPackets) {
    const int64_t samples = length * rate / 10000;
    if (length >= 200 && samples >= hop) return static_cast<int>(samples);
  }
  return static_cast<int>(rate * 60 / 1000);
}

int64_t BufferBytes(const SessionPlan& plan, const SessionLimits& limits) {
  // Of framer, resamplers, codecs and messages under way.
  constexpr int64_t kRest = 64 * 1024;
  const int64_t samples = InputWindow(plan.input_format, limits);
  return 2 * samples * static_cast<int64_t>(sizeof(float)) + limits.max_output_backlog_bytes +
         2 * limits.max_block_bytes + kRest;
}

int64_t InputWindow(const WireFormat& input, const SessionLimits& limits) {
  const int64_t longest_message = input.encoding == Encoding::kOpus
                                      ? int64_t{input.sample_rate} * kMaxOpusPacketMs / 1000
                                      : limits.max_block_bytes / BytesPerSample(input.encoding);
  return 2 * std::max<int64_t>(input.sample_rate, longest_message);
}

}  // namespace ddsp::server
