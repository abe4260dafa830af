// One sequence of requests, played by one native session: it has no scheduler and no samples of its own.
//
// A request becomes blocks of audio and a flush, the last one the end of the input; what the session gives until the
// flush's mark, or its end, is the answer. Hence one response for each request, in their order, and the samples of a
// native stream. Requests wait here while the session grants no credit.
//
// The wire's thread adds requests and tells of the stream's end; the session answers on any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "ddsp/v1/session.pb.h"
#include "server/kserve/infer_request.h"
#include "server/kserve/infer_statistics.h"
#include "server/registry/registry.h"
#include "server/security/tenant_quotas.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server::kserve {

// What sequences work with; everything outlives them.
struct SequenceServices {
  SessionServices sessions;
  SessionRoster* roster = nullptr;
  const Registry* registry = nullptr;
  InferStatistics* statistics = nullptr;
  const Clock* time_of_day = nullptr;
};

// A request's only answer.
struct InferAnswer {
  absl::Status status;  // not OK: the response holds only whose it is
  inference::ModelInferResponse response;
  int64_t input_bytes = 0;  // that the request held
};

class Sequence : public SessionOutlet, public std::enable_shared_from_this<Sequence> {
 public:
  // Who carries the answers away. Told on any thread, never with a lock held.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void Answered(InferAnswer answer) = 0;
    // The last thing said: `rest` answers what is left. The slot is free, or will be before long.
    virtual void Ended(Sequence& sequence, const absl::Status& status, std::vector<InferAnswer> rest) = 0;
    // Whether answers flow away. If not, ProceedWriting() is called once when they do.
    virtual bool MayWrite(const std::shared_ptr<Sequence>& sequence) = 0;
    // The client takes no answers: everything of its call is to end.
    virtual void GiveUp() = 0;
  };

  struct Manner {
    QualityOfService qos = QualityOfService::kRealtime;
    SessionOrigin origin = {};       // of its session
    TenantQuotas::Lease quota = {};  // given back with the slot
  };
  // Plays on the model that `first` names; it is added by the caller. `listener` is told nothing after Ended(). Errors:
  // MODEL_NOT_FOUND, MODEL_NOT_READY, SERVER_DRAINING, SESSION_SLOTS_EXHAUSTED.
  static absl::StatusOr<std::shared_ptr<Sequence>> Open(const SequenceServices& services, const InferRequest& first,
                                                        Manner manner, Listener& listener);

  // Whether a request may follow. Errors: INVALID_CONFIG (another model, another seed).
  absl::Status CheckNext(const InferRequest& request) const;
  // `decoding` is the time that reading it took. Returns false, and nothing else, when the sequence has ended.
  bool Add(InferRequest request, absl::Duration decoding);
  // No request will follow, and none but those that came is answered.
  void StreamEnded();
  // The client has vanished.
  void Gone() { Hold().session->OnGone(); }
  void ProceedWriting(bool ok) { Hold().session->OnWritten(ok); }

  const std::string& id() const { return id_; }

  // The session.
  void Write(v1::StreamSessionResponse message, bool more) override;
  void Finish(const absl::Status& status) override;
  void GiveUp() override { listener_.GiveUp(); }

 private:
  struct Pending {
    InferRequest request;
    absl::Duration decoding;
    absl::Time added, fed;  // fed: its first message went to the session
    size_t sent = 0;        // bytes of its audio
    bool settings_sent = false;
    std::string answer;
  };
  // A message for the session; `half_close` instead of one.
  struct Step {
    std::optional<v1::StreamSessionRequest> message;
    bool half_close = false;
  };
  // Both live as long as this: whoever calls the session may thereby end the sequence.
  struct Held {
    std::shared_ptr<Sequence> self;
    std::shared_ptr<Session> session;
  };

  Sequence(const SequenceServices& services, const InferRequest& first, const HostedVoice& voice, QualityOfService qos,
           Listener& listener);
  Held Hold() { return {shared_from_this(), session_}; }

  // Gives the session what it has credit for.
  void Feed();
  std::optional<Step> NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::optional<v1::StreamSessionRequest> NextSettings(Pending& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::StreamSessionRequest NextAudio(Pending& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::StreamSessionRequest Config(const InferRequest& request) const;
  void AnswerFirst();
  InferAnswer MakeAnswer(Pending pending);
  InferAnswer MakeRefusal(const Pending& pending, const absl::Status& status);

  // Constant after construction.
  const SequenceServices services_;
  Listener& listener_;
  const std::string id_, reference_, model_;
  const int sample_rate_;
  const QualityOfService qos_;
  const std::optional<uint64_t> seed_;
  std::shared_ptr<Session> session_;

  Mutex mu_;
  TenantQuotas::Lease quota_ ABSL_GUARDED_BY(mu_);
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mu_);
  size_t fed_ ABSL_GUARDED_BY(mu_) = 0;  // of them are with the session
  bool feeding_ ABSL_GUARDED_BY(mu_) = false;
  bool configured_ ABSL_GUARDED_BY(mu_) = false;
  bool stream_ended_ ABSL_GUARDED_BY(mu_) = false;
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  int64_t version_ ABSL_GUARDED_BY(mu_);
  int64_t credit_ ABSL_GUARDED_BY(mu_);        // samples
  int64_t position_ ABSL_GUARDED_BY(mu_) = 0;  // samples sent
  uint64_t audio_seq_ ABSL_GUARDED_BY(mu_) = 0,
                      control_seq_ ABSL_GUARDED_BY(mu_) = 0, flushes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::server::kserve
