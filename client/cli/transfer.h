// A recording played by a voice: in this process, by a server as a live stream, or by a server at once. All give the
// same samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/sdk/codec.h"
#include "client/sdk/resume_options.h"
#include "client/sdk/server_address.h"
#include "core/dsp/timbre_adjust_options.h"
#include "core/models/performer_profile.h"

namespace ddsp::client {

enum class Pace { kAsFastAsPossible, kRealTime };

struct TransferRequest {
  std::string model = "violin";
  std::vector<float> audio;  // at input_rate
  int input_rate = 16000;    // Hz, 8000 to 48000
  int output_rate = 16000;   // Hz, 8000 to 48000
  double pitch_shift_semitones = 0;
  double loudness_shift_db = 0;
  std::optional<ddsp::PerformerProfile> profile;
  std::optional<TimbreAdjustOptions> adjust;  // with the statistics of the whole recording; not live
  uint64_t seed = 0;
  bool tail = true;
  int64_t chunk_samples = 320;
};

// From a message's scheduled send to the receipt of the block that it completes.
struct BlockLatency {
  int64_t blocks = 0;
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

struct TransferResult {
  std::vector<float> audio;  // at output_rate, lined up with the input
  std::string model;         // with its version
  std::string profile;       // "neutral" or the name of the profile in use
  int64_t latency_samples = 0;
  double seconds = 0;  // from the first sample in to the last one out
  std::optional<BlockLatency> block_latency;
  std::vector<Resumption> moves;  // from server to server
};

absl::StatusOr<TransferResult> TransferInProcess(const TransferRequest& request, const std::string& repository);

enum class Continuity {
  kOneServer,
  kResume,  // where the server stops or dies, another one goes on
};

struct LiveOptions {
  ServerAddress server;  // to resume, any number of them with commas between
  Continuity continuity = Continuity::kOneServer;
  Codec codec = Codec::kPcmFloat;
  Pace pace = Pace::kAsFastAsPossible;
};
absl::StatusOr<TransferResult> TransferLive(const TransferRequest& request, const LiveOptions& options);

// The whole recording in one message to the server. Errors: RESOURCE_EXHAUSTED if it does not fit.
absl::StatusOr<TransferResult> TransferAtOnce(const TransferRequest& request, const ServerAddress& server);

}  // namespace ddsp::client
