// What a session asks for, checked: from the wire's SessionConfig to a plan, or to every problem at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/streaming/stream_framer.h"
#include "core/streaming/voice_engine.h"
#include "ddsp/v1/session.pb.h"
#include "server/scheduler/batch_former.h"
#include "server/session/session_limits.h"

namespace ddsp::server {

enum class Encoding { kPcm16, kPcmFloat, kOpus };

struct WireFormat {
  Encoding encoding = Encoding::kPcmFloat;
  int sample_rate = 16000;  // Hz

  friend bool operator==(const WireFormat&, const WireFormat&) = default;
};

struct SessionPlan {
  std::string model;  // a reference; empty where no voice is needed
  StreamInput input = StreamInput::kAudio;
  bool audio_out = true, features_out = false;
  WireFormat input_format, output_format;
  TailPolicy tail = TailPolicy::kRingOut;
  StreamParameters parameters;
  StreamSettings settings;
  int output_block = 0;       // samples at the output rate; 0: DefaultBlock()
  int64_t output_credit = 0;  // samples; 0: no limit
  QualityOfService qos = QualityOfService::kRealtime;
  absl::Duration max_block_latency = absl::Milliseconds(40);
  int opus_bitrate = 0;                  // bit/s; 0: the codec's default
  std::optional<int> input_codec_delay;  // samples; absent: that of libopus
  absl::Duration snapshot_interval;      // zero: no snapshots
  bool moved = false;                    // it goes on from a snapshot

  // Sessions that only extract features need no voice.
  bool needs_voice() const { return audio_out; }
};

// Errors: FORMAT_UNSUPPORTED when a format is at fault, otherwise INVALID_CONFIG; each with all problems as violations.
absl::StatusOr<SessionPlan> PlanSession(const v1::SessionConfig& config, const SessionLimits& limits);

// Parameters on the wire, laid over `base`. Errors: INVALID_CONTROL with all problems as violations.
absl::StatusOr<StreamParameters> MergeParameters(const v1::Parameters& wire, StreamParameters base);

// 20 ms or one hop of the voice, whichever is longer; for Opus the shortest packet that is at least as long.
int DefaultBlock(const WireFormat& output, const StreamFormat& voice);

// What a session may come to keep: input that waits, decoded and resampled, and output that waits.
int64_t BufferBytes(const SessionPlan& plan, const SessionLimits& limits);

// Input samples that a client may have under way: twice the larger of one second and the longest message.
int64_t InputWindow(const WireFormat& input, const SessionLimits& limits);

}  // namespace ddsp::server
