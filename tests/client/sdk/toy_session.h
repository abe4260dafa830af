// The server's side of a session in small, without transport: a voice whose every output sample depends on all input
// before it, and whose state can be told and taken up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

struct ToySettings {
  int64_t input_credit = 4000;
  int64_t output_block = 320;
  int64_t latency = 100;       // samples that an answer lags behind
  int64_t snapshot_every = 0;  // input samples; 0: never
  std::string version = "1";
};

// What the toy plays for `input`, all in all.
std::vector<float> ToyAnswer(absl::Span<const float> input);

class ToySession {
 public:
  using Responses = std::vector<v1::StreamSessionResponse>;

  explicit ToySession(const ToySettings& settings) : settings_(settings) {}

  // Answers of the server to a message, and to the half-close.
  Responses Take(const v1::StreamSessionRequest& request);
  Responses Finish();
  v1::StreamSessionResponse Snapshot(bool last) const;

  int64_t input_samples() const { return static_cast<int64_t>(at_.input_sample()); }
  const std::string& refusal() const { return refusal_; }  // what the client did wrong; empty: nothing

 private:
  void Start(const v1::SessionConfig& config, Responses* out);
  void TakeAudio(const v1::AudioBlock& block, Responses* out);
  void Emit(int64_t least, Responses* out);

  const ToySettings settings_;
  v1::SessionPosition at_;
  float memory_ = 0, gain_ = 1;
  std::vector<float> due_;  // made, and not sent
  int64_t credit_ = 0, since_snapshot_ = 0;
  std::string refusal_;
};

}  // namespace ddsp::client
