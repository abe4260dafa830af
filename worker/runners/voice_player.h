// Plays whole files through a server's voice.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/sdk/retry.h"
#include "client/sdk/synthesis_stream.h"
#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

class VoicePlayer {
 public:
  // Repeats what fails in passing: no free session, a server that restarts.
  VoicePlayer(std::shared_ptr<grpc::Channel> channel, client::RetryPolicy retry)
      : channel_(std::move(channel)), retry_(retry) {}

  // Writes the whole input into the stream; called again with a new one where the stream broke.
  using Writer = std::function<absl::Status(client::SynthesisStream& stream)>;
  // All the audio of one session. Errors: CANCELLED after a stop; those of the server.
  absl::StatusOr<std::vector<float>> Play(const client::StreamOptions& options, const Writer& write,
                                          StopToken& stop) const;
  // The sample rate of a voice.
  absl::StatusOr<int> RateOf(const client::StreamOptions& options, StopToken& stop) const;

 private:
  template <typename Attempt>
  auto Repeat(const Attempt& attempt, StopToken& stop) const -> decltype(attempt());

  const std::shared_ptr<grpc::Channel> channel_;
  const client::RetryPolicy retry_;
};

}  // namespace ddsp::worker
