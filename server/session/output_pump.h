// Moves a session's output to the wire: one write at a time, and the final status when everything was written.
// Thread-safe.
//
// The outlet is called only between a decision made under the lock and the report of its outcome, so it cannot go away
// meanwhile: it is detached after Finish(), and Finish() waits for the write under way.
#pragma once

#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/session/output_queue.h"
#include "server/session/session_outlet.h"

namespace ddsp::server {

class OutputPump {
 public:
  // What becomes of messages that wait when the end comes.
  enum class Backlog { kDeliver, kDrop };

  class Observer {
   public:
    virtual ~Observer() = default;
    // `item` goes out now.
    virtual void Writing(const OutputItem& item) = 0;
    // The queue is no longer full.
    virtual void RoomAgain() = 0;
  };

  // All outlive the pump; `outlet` until Detach().
  OutputPump(SessionOutlet* outlet, Observer* observer, const Clock* clock, int64_t backlog_bytes);

  // Samples that may be sent before a grant; 0: any number. Before the first media.
  void SetCredit(int64_t samples);
  void Grant(int64_t samples);
  void PushUrgent(v1::StreamSessionResponse message);
  // Takes the items out of `items`.
  void PushMedia(std::vector<OutputItem>* items);
  // Nothing can be pushed any more: what waits is delivered or dropped, then the outlet finishes with `status`. Only
  // the first call counts.
  void Close(const absl::Status& status, Backlog backlog);
  // Nobody takes what waits, even if an end was told to wait for it: the outlet finishes with `status`, or the error
  // that it was closed with.
  void Abandon(const absl::Status& status);
  // The write under way is done. A failed one drops everything that waits.
  void Written(bool ok);
  void Detach();

  bool full() const;
  // Since when output has been waiting without any being written, or media for credit, whatever else is written;
  // nullopt when none waits.
  std::optional<absl::Time> stalled_since() const;
  // Ends a write that is not read.
  void GiveUp();

 private:
  enum class Action { kNone, kWrite, kFinish };
  // After a change of media or credit.
  void NoteCredit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Action Decide(OutputItem* item, bool* more, SessionOutlet** outlet, absl::Status* status);
  void Pump();

  Observer* const observer_;
  const Clock& clock_;

  mutable Mutex mu_;
  SessionOutlet* outlet_ ABSL_GUARDED_BY(mu_);
  OutputQueue queue_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mu_);
  bool write_under_way_ ABSL_GUARDED_BY(mu_) = false;
  bool giving_up_ ABSL_GUARDED_BY(mu_) = false;
  bool finish_called_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time last_progress_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Time> short_of_credit_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
