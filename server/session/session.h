// One live session, from its first message to its status.
//
// Three parties share it, and none waits for another:
//   the wire    calls OnRequest, OnHalfClose, OnWritten, OnGone (its reactions; one OnRequest at a time);
//   the device  calls ResetDone and HopDone;
//   the crew    finishes hops: resamples, encodes, writes.
// What evolves with the samples (`stream_`) has no lock. It belongs to whoever has the *turn*: a party that brings
// something leaves it in the inbox and takes the turn if it is free; who has the turn looks into the inbox before
// giving it up. While a hop is with the device, the device has the turn.
//
// Snapshots are taken in a turn on the crew, hence between two hops, in the tail too: when the session has to leave
// this server or its version, and by the injected clock every so often. By time rather than by samples: their cost to
// others is then bounded whatever a client's pace, and so is what a client has to send again, in the time that it took
// the first time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "ddsp/v1/session.pb.h"
#include "server/metrics/server_metrics.h"
#include "server/registry/hosted_voice.h"
#include "server/scheduler/stream_scheduler.h"
#include "server/session/audio_pace.h"
#include "server/session/credit_window.h"
#include "server/session/crew.h"
#include "server/session/input_reader.h"
#include "server/session/output_pump.h"
#include "server/session/playback_meter.h"
#include "server/session/responses.h"
#include "server/session/session_host.h"
#include "server/session/session_journal.h"
#include "server/session/session_machine.h"
#include "server/session/session_stream.h"
#include "server/session/session_tally.h"
#include "server/session/snapshot_seal.h"

namespace ddsp::server {

// What sessions work with; everything outlives them.
struct SessionServices {
  SessionHost* host = nullptr;
  StreamScheduler* scheduler = nullptr;
  Executor* crew = nullptr;
  const Clock* clock = nullptr;
  ServerMetrics* metrics = nullptr;
  const SnapshotSeal* snapshots = nullptr;  // null: nobody gets any
  SessionLimits limits;
  SessionJournal* journal = nullptr;  // null: nobody listens
};

class Session : public ScheduledStream, public OutputPump::Observer, public std::enable_shared_from_this<Session> {
 public:
  // `outlet` is not called any more after Detach().
  Session(const SessionServices& services, SessionOutlet* outlet, SessionOrigin origin = {});

  // The wire.
  void OnRequest(const v1::StreamSessionRequest& request);
  void OnHalfClose();
  void OnWritten(bool ok) { output_.Written(ok); }
  // The client has vanished, cancelled, or run out of its deadline.
  void OnGone();
  void Detach() { output_.Detach(); }

  // The device.
  void ResetDone(const absl::Status& status) override;
  void HopDone(const absl::Status& status, const HopTiming& timing) override;
  // ... and the crew, for it.
  void AfterHop() override;

  // The house.
  // Ends what has been idle or unread for too long by `now`.
  void CheckTimeouts(absl::Time now);
  void NotifyDraining();
  // Whether it takes of the device's time what a listener waits for, and nobody has sent it away yet.
  bool IsLoad() const;
  // It ends with `error`: at once, or where it can go on elsewhere, after its last snapshot or a few seconds. What does
  // not play, or leaves already, stays as it is.
  void SendAway(const absl::Status& error);
  // Ends the session with `error`; where it stopped is added.
  void End(const absl::Status& error) { Fail(error, OutputPump::Backlog::kDeliver); }

  // The output pump.
  void Writing(const OutputItem& item) override;
  void RoomAgain() override;

  const std::string& id() const { return id_; }
  absl::Time arrived() const { return arrived_; }
  SessionFacts Facts() const;

 private:
  enum class Next { kSubmit, kAgain, kRest, kHandOver };
  // Where a turn runs: the wire's thread serves all sessions, and must not take long.
  enum class Place { kWire, kCrew };

  // Wire side, in session_wire.cc.
  absl::Status Accept(const v1::StreamSessionRequest& request);
  void TakeConfig(const v1::SessionConfig& config);
  absl::Status Open(const v1::SessionConfig& config);
  absl::Status CheckInputOpen() const;
  absl::Status AcceptAudio(const v1::AudioBlock& block);
  absl::Status AcceptControl(const v1::ControlBlock& block);
  // `started` is the first message in any case.
  void SayAfterStarted(v1::StreamSessionResponse message);
  absl::Status TakeCredit(int64_t samples);
  void Post(InputEvent event);

  // Turn side.
  void RunTurn(Place place);
  void Begin();
  bool TakeInbox();
  void WorkOff();
  void EndInput();
  void SubmitHop();
  void Start();
  void SayStarted();
  void ReturnCredit();
  Next DecideNext(Place place, bool was_over, bool hop_ready);

  // What leaves, in session_output.cc.
  // Returns the gap before `item` at a client that plays what it gets.
  absl::Duration CountOutput(const OutputItem& item, absl::Time now, absl::Duration latency);
  SessionFacts FactsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Snapshots, in session_snapshots.cc. On the wire, before there is a voice: makes the plan that of the snapshot.
  absl::Status OpenSnapshot(const v1::SessionConfig& config);
  absl::StatusOr<SlotLease> AdmitResumed();
  // On the wire, once there is a stream.
  absl::Status RestoreStream();
  // On the crew, once there is a slot.
  absl::Status RestoreSlot();
  void SnapshotIfDue();
  absl::Status TakeSnapshot(SnapshotKind kind);
  absl::Duration snapshot_interval() const;
  // It plays, and asked for snapshots.
  bool CanLeave() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Without the turn. A turn on the crew takes one as soon as it can.
  void AskForSnapshot();
  // One that grows old while nothing comes is taken again.
  void RenewSnapshot(absl::Time now);

  // Departures, in session_departure.cc.
  // Who was sent away, and could not take a last snapshot, goes without.
  void CheckDeparture(absl::Time now);
  // Sees to it that it leaves a version that has gone out of service, in time.
  void CheckVersion(absl::Time now);

  void Fail(const absl::Status& error, OutputPump::Backlog backlog);
  // Moves the machine and closes the output. Returns whether the caller got the turn, to clear up.
  bool Finish(SessionState final_state, const absl::Status& status, OutputPump::Backlog backlog);
  // `reason`: the label of a session that has played; empty: it never did.
  void RecordEnd(const absl::Status& status, std::string_view reason);
  bool TryTakeTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const SessionServices services_;
  const std::string id_;
  const SessionOrigin origin_;
  const absl::Time arrived_;

  // Synchronises itself.
  OutputPump output_;

  // Constant once the session is opening.
  SessionPlan plan_;
  HostedVoice* voice_ = nullptr;

  // The wire's.
  std::optional<InputReader> reader_;
  bool input_over_ = false;  // where it comes from, it had ended

  // The turn's.
  std::unique_ptr<SessionStream> stream_;
  std::optional<AudioPace> pace_;
  SlotLease lease_;
  absl::Status device_status_;
  bool live_ = false;                          // started; hops may be taken
  std::unique_ptr<v1::SessionState> resumed_;  // what it goes on from, until it has started
  std::unique_ptr<v1::SessionConfig> config_;  // where snapshots are wanted, which contain it
  int64_t used_before_ = 0;                    // input samples that other servers were sent
  std::vector<Arrival> taken_;                 // from the inbox
  std::vector<OutputItem> emitted_;

  mutable Mutex mu_;
  SessionMachine machine_ ABSL_GUARDED_BY(mu_);
  bool turn_taken_ ABSL_GUARDED_BY(mu_) = false;
  bool wants_room_ ABSL_GUARDED_BY(mu_) = false;  // a hop is ready, but output must leave first
  std::vector<Arrival> inbox_ ABSL_GUARDED_BY(mu_);
  std::optional<CreditWindow> input_credit_ ABSL_GUARDED_BY(mu_);
  absl::Time config_time_ ABSL_GUARDED_BY(mu_);  // construction, until there is a config
  absl::Time last_request_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::StreamSessionResponse> early_ ABSL_GUARDED_BY(mu_);  // urgent, but to follow `started`
  bool idle_warned_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> leaving_ ABSL_GUARDED_BY(mu_);           // what it ends with after its last snapshot
  absl::Time leave_by_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();  // even without one
  std::optional<absl::Time> retired_since_ ABSL_GUARDED_BY(mu_);       // its version is out of service
  bool migrated_ ABSL_GUARDED_BY(mu_) = false;                         // the last snapshot was taken
  bool snapshot_asked_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time snapshot_time_ ABSL_GUARDED_BY(mu_);                   // of the newest one, or the start
  std::optional<absl::Time> resumable_until_ ABSL_GUARDED_BY(mu_);  // the time of day; unset: there is no snapshot
  bool first_output_seen_ ABSL_GUARDED_BY(mu_) = false;
  PlaybackMeter playback_ ABSL_GUARDED_BY(mu_);
  SessionTally tally_ ABSL_GUARDED_BY(mu_);
  absl::Duration setup_ ABSL_GUARDED_BY(mu_);
  bool started_ ABSL_GUARDED_BY(mu_) = false;  // and said so
  bool opened_ ABSL_GUARDED_BY(mu_) = false;   // there is a plan, and a voice
  int64_t input_samples_ ABSL_GUARDED_BY(mu_) = 0, output_samples_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::server
