// A session that may be played by one server after another: what to send to the present one, and what of its answer is
// new. Knows no transport and no thread.
//
// It keeps the newest snapshot and all input since then. With every server it begins by handing over that snapshot, and
// sends the input again from where the server says that it stands.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/sdk/input_blocks.h"
#include "client/sdk/output_blocks.h"
#include "client/sdk/output_cursor.h"
#include "client/sdk/replay_buffer.h"
#include "client/sdk/resume_options.h"
#include "client/sdk/stream_options.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

class ResumableSession {
 public:
  using Request = std::shared_ptr<const v1::StreamSessionRequest>;

  ResumableSession(StreamOptions options, const ResumeOptions& resume);

  // With another server, or the first one.

  // The message to begin with. What was under way with the last server is forgotten.
  v1::StreamSessionRequest Begin();
  // Takes a message of the server; appends what the session's user has not had. Errors: what the server must not say,
  // and DATA_LOSS where output or kept input is missing.
  absl::Status Take(const v1::StreamSessionResponse& response, std::vector<StreamMessage>* fresh);
  // The next message to send; null when there is none, or no credit for it.
  Request NextToSend();
  // Everything was sent: half-close.
  bool all_sent() const;
  void Ping(absl::Time now);

  bool started() const { return output_ != nullptr; }  // this server has answered
  bool left() const { return left_; }                  // it has sent its last snapshot: go on elsewhere
  bool summarized() const { return summarized_; }      // the session has come to its end
  bool from_snapshot() const { return from_snapshot_; }
  // Since Begin().
  int64_t replayed_input() const { return replayed_input_; }
  int64_t repeated_output() const { return cursor_.repeated() - repeated_before_; }

  // The user's side, once the first server has started the session.

  const StreamStarted& info() const { return info_; }
  // Takes as many samples as may wait to be sent; returns how many. Errors: those of ReplayBuffer::Add(), after which
  // the session is broken, and of encoders.
  absl::StatusOr<size_t> Add(absl::Span<const float> samples);
  // Likewise for frames.
  absl::StatusOr<int64_t> AddControls(absl::Span<const ControlFrame> frames, int frame_samples);
  absl::Status ChangeParameters(int64_t sample, const Parameters& parameters);
  absl::Status Flush(uint64_t id);
  absl::Status Finish();
  bool finished() const { return finished_; }
  // Add() takes something.
  bool has_room() const { return Room() > 0; }
  // The user has taken a message: as much may come again.
  void WasRead(const StreamMessage& message);

 private:
  absl::Status TakeStarted(const v1::SessionStarted& started);
  absl::Status TakeAudio(const v1::AudioBlock& block, std::vector<StreamMessage>* fresh);
  absl::Status TakeFeatures(const v1::FeatureBlock& block, std::vector<StreamMessage>* fresh);
  void TakeEvent(const v1::SessionEvent& event, std::vector<StreamMessage>* fresh);
  void AdoptSnapshots();
  absl::Status Keep(std::vector<v1::AudioBlock> blocks);
  int64_t SamplesOf(const v1::AudioBlock& block) const;
  int64_t Room() const;

  const StreamOptions options_;
  const absl::Duration snapshot_interval_, max_unsent_;

  // The session's, whoever plays it.
  bool known_ = false;  // a server has started it: `info_` holds
  StreamStarted info_;
  std::unique_ptr<InputBlocks> input_;
  ReplayBuffer replay_;
  OutputCursor cursor_;
  std::string snapshot_;  // the newest whose output has come; empty: none
  uint64_t control_seq_ = 0;
  std::optional<int64_t> total_output_;
  bool finished_ = false, summarized_ = false;
  int64_t unread_samples_ = 0;

  // The present server's.
  std::unique_ptr<OutputBlocks> output_;
  uint64_t feature_seq_ = 0;
  int64_t credit_ = 0;
  std::deque<Request> unnumbered_;             // pings and grants, which are not sent again
  std::deque<v1::SessionSnapshot> snapshots_;  // whose output is still to come
  bool left_ = false, all_granted_ = false, from_snapshot_ = false;
  int64_t withheld_ = 0;  // samples whose reading is not granted: they came from another server
  int64_t replayed_input_ = 0, repeated_before_ = 0;
};

}  // namespace ddsp::client
