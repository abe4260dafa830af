// What a live session is asked for, and what it answers with.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/sdk/codec.h"

namespace ddsp::client {

struct AudioFormat {
  Codec codec = Codec::kPcmFloat;
  int sample_rate = 16000;  // Hz, 8000 to 48000; Opus: 8000, 12000, 16000, 24000 or 48000
};

// Settings that may change while a session runs; what is absent stays as it is.
struct Parameters {
  std::optional<double> pitch_shift_semitones{};  // -48 to 48
  std::optional<double> loudness_shift_db{};      // -60 to 60
};

// How a performer plays, as `ddsp profile` measures it.
struct PerformerProfile {
  std::string name;
  std::vector<float> power_quantiles_db;
  float mean_pitch_midi = 0;
};

// A frame of a session that is driven by controls instead of audio.
struct ControlFrame {
  float f0_hz = 0;
  float loudness_db = 0;
};

enum class Drive { kAudio, kControls };
enum class Answer { kAudio, kFeatures, kAudioAndFeatures };
enum class Tail {
  kRingOut,  // the reverb rings out: the input's length + tail_samples come back
  kCut,      // as many samples come back as went in
};

// Audio that became due. Blocks follow each other without a gap.
struct AudioBlock {
  int64_t start_sample = 0;  // of the input, at the output rate: the session's latency is already taken off
  std::vector<float> samples;
  std::chrono::steady_clock::time_point received;
};

struct FeatureFrame {
  float f0_hz = 0, f0_confidence = 0;
  bool voiced = false;
  float loudness_db = 0, power_db = 0;
};

struct FeatureBlock {
  int64_t first_frame = 0;  // frame t is centred at t / frame_rate_hz seconds
  double frame_rate_hz = 0;
  std::vector<FeatureFrame> frames;
};

struct StreamEvent {
  enum class Kind { kOther, kDraining, kUnderrun, kFlushed, kIdleWarning };
  Kind kind = Kind::kOther;
  int64_t sample = 0;
  std::string detail;
  uint64_t flush_id = 0;
};

// The last message of a clean end.
struct StreamSummary {
  int64_t input_samples = 0, output_samples = 0;
  int64_t input_blocks = 0, output_blocks = 0, feature_frames = 0;
};

using StreamMessage = std::variant<AudioBlock, FeatureBlock, StreamEvent, StreamSummary>;

// What the server agreed to. Counts are samples at the output rate unless said otherwise.
struct StreamStarted {
  std::string session_id;
  std::string model;    // with its version: "violin/1"
  std::string profile;  // "neutral" or the name of the profile in use
  AudioFormat input, output;
  int64_t latency_samples = 0;  // algorithmic
  int64_t tail_samples = 0;
  int output_block_samples = 0;
  int64_t input_credit = 0;  // samples at the input rate
  int hop_size = 0, model_sample_rate = 0;
  // Delay that a codec adds to the latency, at the rate of its side; already taken off what is read.
  int input_codec_delay = 0, output_codec_delay = 0;
};

struct StreamOptions {
  std::string model{};  // "violin", "violin/3"; may be empty for features alone
  AudioFormat input{};
  AudioFormat output{Codec::kPcmFloat, 0};  // rate 0: the input's
  Drive drive = Drive::kAudio;
  Answer answer = Answer::kAudio;
  Tail tail = Tail::kRingOut;
  Parameters parameters{};
  std::optional<PerformerProfile> profile{};  // absent: the voice's neutral one
  uint64_t seed = 0;                          // of the noise: the same seed gives the same samples
  int output_block_samples = 0;               // 0: 20 ms or one hop, whichever is longer
  int opus_bitrate = 0;                       // bit/s; 0: the codec's default

  // Samples that may wait to be read before the server is asked to hold back; 0: no limit, which suits a program that
  // writes everything and then reads. With a limit, read while you write: in another thread.
  int64_t max_unread_samples = 0;
  // Time for the server to answer `started`.
  absl::Duration open_timeout = absl::Seconds(10);

  // When set, messages are handed over as they come, in order, on a thread of gRPC, and Read() is not used. It must not
  // block and must not destroy the stream.
  std::function<void(StreamMessage)> on_message{};
  // Called last, with what Read() would end with.
  std::function<void(const absl::Status&)> on_end{};
};

// With the output's rate filled in. Errors: INVALID_ARGUMENT (a rate that its codec does not have), which is so found
// out before a server is asked.
absl::StatusOr<StreamOptions> CompleteOptions(StreamOptions options);

}  // namespace ddsp::client
