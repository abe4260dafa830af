// A live session that outlives its servers.
//
//   auto stream = ResumingStream::Open("violins-0:8001,violins-1:8001", {.model = "violin"});
//   (*stream)->Write(samples);
//   ...                                              // as with a SynthesisStream
//
// When a server stops, dies or falls silent, the stream goes on at the next one, from the newest snapshot, with the
// input since then; its user reads one sequence in which no sample is missing and none comes twice. While it moves,
// input waits, and nothing is to be read. PCM comes as from one server, to the bit where all run the same kernels; Opus
// has a seam of some milliseconds, since codecs begin anew.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/sdk/resume_options.h"
#include "client/sdk/server_address.h"
#include "client/sdk/stream_options.h"

namespace ddsp::client {

class ResumingStream {
 public:
  // servers.target: "HOST:PORT,HOST:PORT", "ipv4:IP:PORT,IP:PORT" or "dns:///NAME:PORT", whose addresses are looked up
  // again for every round. The session begins at the first one that takes it. Errors: as SynthesisStream::Open(), of
  // the last server that was tried.
  static absl::StatusOr<std::unique_ptr<ResumingStream>> Open(const ServerAddress& servers, StreamOptions options,
                                                              ResumeOptions resume = {});
  // Cancels a session that has not ended, and waits for that.
  ~ResumingStream();

  // As the first server answered.
  const StreamStarted& started() const;

  // As SynthesisStream, but that input waits up to resume.max_unsent where a server, or credit, is missing. Errors are
  // those that no other server can mend: what the last one said when all had been tried for resume.retry.give_up_after,
  // and RESOURCE_EXHAUSTED (REPLAY_TOO_LONG) where a server sends no snapshots.
  absl::Status Write(absl::Span<const float> samples);
  absl::StatusOr<size_t> TryWrite(absl::Span<const float> samples);
  absl::Status WriteControls(absl::Span<const ControlFrame> frames, int frame_samples);
  absl::Status ChangeParameters(int64_t sample, const Parameters& parameters);
  absl::Status Flush(uint64_t id);
  absl::Status Finish();
  absl::StatusOr<std::optional<StreamMessage>> Read();
  absl::StatusOr<std::vector<float>> ReadAllAudio();
  void Cancel();

  // All moves so far.
  std::vector<Resumption> resumptions() const;

 private:
  class Relay;
  explicit ResumingStream(std::unique_ptr<Relay> relay);
  const std::unique_ptr<Relay> relay_;
};

}  // namespace ddsp::client
