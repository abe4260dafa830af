// A session's samples: input events in, messages of audio and features out, hops for an engine in between. No threads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/streaming/stream_framer.h"
#include "ddsp/v1/session_state.pb.h"
#include "server/session/arrival_log.h"
#include "server/session/codec.h"
#include "server/session/input_event.h"
#include "server/session/output_queue.h"
#include "server/session/session_config.h"

namespace ddsp::server {

class SessionStream {
 public:
  // `voice` is the format of the engine that will step it. Errors: INVALID_CONFIG.
  static absl::StatusOr<std::unique_ptr<SessionStream>> Create(const SessionPlan& plan, const StreamFormat& voice);

  // Everything but the engine's part, between two hops; the plan is resumable. Not while Quiet() is false.
  void Save(v1::SessionState* state) const;
  // Makes a stream that was just created what it was when it was saved, from one with the same plan and voice. Errors:
  // STATE_LOST.
  absl::Status Restore(const v1::SessionState& state);
  // Where the input begins.
  void set_input_mark(const InputMark& mark) { mark_ = mark; }
  // Nothing waits but samples, and more output will come: it can be saved.
  bool Quiet() const { return pending_.empty() && marks_.empty() && !ended_; }
  // The input has ended, here or where it was restored from.
  bool finished() const { return finished_; }
  const InputMark& input_mark() const { return mark_; }
  std::vector<int64_t> pending_changes() const { return framer_->pending_changes(); }
  // Input samples that no hop has taken.
  int64_t backlog() const { return framer_->input_backlog(); }

  int output_block() const { return block_; }
  int64_t latency() const { return framer_->latency(); }
  int64_t tail() const { return plan_.tail == TailPolicy::kRingOut ? framer_->tail() : 0; }
  int output_codec_delay() const { return encoder_->delay(); }

  // What was restored counts as having come at `at`.
  void Begin(absl::Time at) { arrivals_.Came(framer_->input_samples(), at); }
  void Push(Arrival arrival) { pending_.push_back(std::move(arrival)); }
  // Takes pushed events as far as they can be taken: a flush waits until the hops before it are done.
  void Absorb();

  // As StreamFramer; `request.slot` is the caller's to fill.
  bool HopReady() const { return framer_->HopReady(); }
  // When the last input that the next hop needs had come.
  absl::Time HopArrival() const { return arrivals_.Of(framer_->input_of_hop()); }
  HopRequest NextHop() { return framer_->NextHop(); }
  void CompleteHop();

  // Appends what has become due; the summary last.
  void Emit(std::vector<OutputItem>* out);
  // The summary was emitted: nothing follows.
  bool ended() const { return ended_; }

  // Input samples used up, the codec's delay included: credit that can be given back.
  int64_t input_used() const { return skipped_ + framer_->input_samples() - framer_->input_backlog(); }
  int64_t input_samples() const { return framer_->input_samples(); }
  int64_t output_samples() const { return output_samples_; }

 private:
  enum class LastBlock { kWait, kPart };  // what becomes of due samples that do not fill a block

  SessionStream(const SessionPlan& plan, const StreamFormat& voice, std::unique_ptr<StreamFramer> framer);

  void Take(const AudioIn& audio);
  void Take(const ControlIn& control);
  void Take(const FlushIn& flush);
  void Take(const EndIn& end);

  void Keep(const AudioIn& audio);
  void EmitAudio(LastBlock last, std::vector<OutputItem>* out);
  void EmitBlock(absl::Span<const float> samples, int64_t real_samples, std::vector<OutputItem>* out);
  void EmitRestOfCodec(std::vector<OutputItem>* out);
  void EmitFeatures(std::vector<OutputItem>* out);
  void EmitSummary(std::vector<OutputItem>* out);

  const SessionPlan plan_;
  const StreamFormat voice_;
  const std::unique_ptr<StreamFramer> framer_;
  const std::unique_ptr<BlockEncoder> encoder_;
  const int64_t decoder_memory_, encoder_memory_;  // samples to keep; 0 where nothing is saved
  const int block_;
  std::deque<Arrival> pending_;
  ArrivalLog arrivals_;
  absl::Time hop_arrival_;  // of the last hop
  InputMark mark_;          // of what was taken
  struct Packet {
    std::string data;
    int64_t samples = 0;
  };
  std::deque<Packet> packets_;     // the newest, as far as the decoder remembers
  std::vector<float> heard_;       // the newest output, as far as the encoder remembers
  std::vector<OutputItem> marks_;  // of flushes, until the next Emit
  std::vector<float> scratch_;     // [block]

  int64_t skipped_ = 0, input_blocks_ = 0;
  int64_t coded_samples_ = 0;   // sent, padding included
  int64_t output_samples_ = 0;  // sent, of the session
  int64_t output_blocks_ = 0, feature_blocks_ = 0, feature_frames_ = 0;
  bool finished_ = false, ended_ = false;
};

}  // namespace ddsp::server
