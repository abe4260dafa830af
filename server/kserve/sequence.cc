#include "server/kserve/sequence.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/kserve/infer_response.h"

namespace ddsp::server::kserve {
namespace {

constexpr int64_t kSampleBytes = sizeof(float);

// Of "violin/3"; 0 where it has none.
int64_t VersionOf(const std::string& voice) {
  int64_t version = 0;
  const size_t slash = voice.find('/');
  return slash != std::string::npos && absl::SimpleAtoi(voice.substr(slash + 1), &version) ? version : 0;
}

std::string VersionText(int64_t version) { return version == 0 ? "" : absl::StrCat(version); }

void FillParameters(const InferRequest& request, v1::Parameters* parameters) {
  if (request.pitch_shift_semitones) parameters->set_pitch_shift_semitones(*request.pitch_shift_semitones);
  if (request.loudness_shift_db) parameters->set_loudness_shift_db(*request.loudness_shift_db);
}

}  // namespace

absl::StatusOr<std::shared_ptr<Sequence>> Sequence::Open(const SequenceServices& services, const InferRequest& first,
                                                         Manner manner, Listener& listener) {
  if (const absl::Status welcome = services.roster->Welcome(); !welcome.ok()) {
    services.sessions.metrics->SessionRejected("unknown", ReasonOf(welcome));
    return welcome;
  }
  const auto voice = services.registry->Resolve(first.reference());
  if (!voice.ok()) {
    services.sessions.metrics->SessionRejected("unknown", ReasonOf(voice.status()));
    return voice.status();
  }
  auto sequence = std::shared_ptr<Sequence>(new Sequence(services, first, **voice, manner.qos, listener));
  sequence->session_ = std::make_shared<Session>(services.sessions, sequence.get(), std::move(manner.origin));
  {
    const MutexLock lock(&sequence->mu_);
    sequence->quota_ = std::move(manner.quota);
  }
  services.roster->Add(sequence->session_);
  return sequence;
}

Sequence::Sequence(const SequenceServices& services, const InferRequest& first, const HostedVoice& voice,
                   QualityOfService qos, Listener& listener)
    : services_(services),
      listener_(listener),
      id_(first.sequence),
      reference_(first.reference()),
      model_(voice.model()),
      sample_rate_(voice.format(StreamInput::kAudio).sample_rate),
      qos_(qos),
      seed_(first.seed),
      version_(voice.version()),
      credit_(InputWindow({.encoding = Encoding::kPcmFloat, .sample_rate = sample_rate_}, services.sessions.limits)) {}

absl::Status Sequence::CheckNext(const InferRequest& request) const {
  std::vector<FieldViolation> violations;
  if (request.reference() != reference_) violations.push_back({"model_name", "is another than at the start"});
  if (request.seed.has_value() && request.seed != seed_) violations.push_back({kSeed, "is another than at the start"});
  if (violations.empty()) return absl::OkStatus();
  return MakeFieldError(Reason::kInvalidConfig,
                        absl::StrCat("in sequence ", id_, " ", violations[0].field, " ", violations[0].description),
                        violations);
}

bool Sequence::Add(InferRequest request, absl::Duration decoding) {
  {
    const MutexLock lock(&mu_);
    if (over_) return false;
    pending_.push_back({.request = std::move(request),
                        .decoding = decoding,
                        .added = services_.sessions.clock->Now(),
                        .fed = absl::InfiniteFuture()});
  }
  Feed();
  return true;
}

void Sequence::StreamEnded() {
  {
    const MutexLock lock(&mu_);
    stream_ended_ = true;
    if (!pending_.empty()) return;
  }
  Gone();
}

// ---------------------------------------------------------------- to the session

// Whoever adds something to feed calls this afterwards: the one that is at it looks again before it stops.
void Sequence::Feed() {
  const Held held = Hold();
  {
    const MutexLock lock(&mu_);
    if (feeding_) return;
    feeding_ = true;
  }
  for (;;) {
    std::optional<Step> step;
    {
      const MutexLock lock(&mu_);
      step = NextStep();
      if (!step.has_value()) {
        feeding_ = false;
        return;
      }
    }
    step->half_close ? held.session->OnHalfClose() : held.session->OnRequest(*step->message);
  }
}

std::optional<Sequence::Step> Sequence::NextStep() {
  if (over_ || fed_ == pending_.size()) return std::nullopt;
  Pending& next = pending_[fed_];
  if (!next.settings_sent) {
    next.settings_sent = true;
    next.fed = services_.sessions.clock->Now();
    if (auto settings = NextSettings(next)) return Step{.message = std::move(settings)};
  }
  if (next.sent < next.request.audio.size()) {
    if (credit_ == 0) return std::nullopt;
    return Step{.message = NextAudio(next)};
  }
  ++fed_;
  if (next.request.end) return Step{.half_close = true};
  v1::StreamSessionRequest flush;
  flush.mutable_flush()->set_id(++flushes_);
  return Step{.message = std::move(flush)};
}

std::optional<v1::StreamSessionRequest> Sequence::NextSettings(Pending& pending) {
  const InferRequest& request = pending.request;
  if (!std::exchange(configured_, true)) return Config(request);
  if (!request.pitch_shift_semitones && !request.loudness_shift_db) return std::nullopt;
  v1::StreamSessionRequest change;
  change.mutable_control()->set_seq(control_seq_++);
  change.mutable_control()->set_start_sample(position_);
  FillParameters(request, change.mutable_control()->mutable_parameters());
  return change;
}

v1::StreamSessionRequest Sequence::Config(const InferRequest& request) const {
  v1::StreamSessionRequest first;
  v1::SessionConfig& config = *first.mutable_config();
  config.set_model(request.reference());
  config.mutable_input_format()->set_encoding(v1::PCM_F32LE);
  config.mutable_input_format()->set_sample_rate_hz(sample_rate_);
  // No block is complete before the mark that gives out what is due: each answer is one message.
  config.set_output_block_samples(
      static_cast<int>(std::min<int64_t>(sample_rate_, services_.sessions.limits.max_block_bytes / kSampleBytes)));
  config.set_qos(qos_ == QualityOfService::kRealtime ? v1::QUALITY_OF_SERVICE_REALTIME
                                                     : v1::QUALITY_OF_SERVICE_THROUGHPUT);
  config.set_seed(request.seed.value_or(0));
  FillParameters(request, config.mutable_parameters());
  return first;
}

v1::StreamSessionRequest Sequence::NextAudio(Pending& pending) {
  std::string& audio = pending.request.audio;
  const int64_t left = static_cast<int64_t>(audio.size() - pending.sent) / kSampleBytes;
  const int64_t samples = std::min({left, credit_, services_.sessions.limits.max_block_bytes / kSampleBytes});
  v1::StreamSessionRequest next;
  next.mutable_audio()->set_seq(audio_seq_++);
  next.mutable_audio()->set_start_sample(position_);
  next.mutable_audio()->set_data(audio.substr(pending.sent, samples * kSampleBytes));
  pending.sent += samples * kSampleBytes;
  credit_ -= samples;
  position_ += samples;
  return next;
}

// ---------------------------------------------------------------- from the session

void Sequence::Write(v1::StreamSessionResponse message, bool) {
  const Held held = Hold();
  if (message.has_audio()) {
    const MutexLock lock(&mu_);
    DDSP_CHECK(!pending_.empty(), "audio comes before the mark of the request that made it due");
    std::string& answer = pending_.front().answer;
    answer.empty() ? answer.swap(*message.mutable_audio()->mutable_data()) : void(answer += message.audio().data());
  } else if (message.event().kind() == v1::SessionEvent::FLUSHED) {
    AnswerFirst();
  } else if (message.has_credit()) {
    {
      const MutexLock lock(&mu_);
      credit_ += static_cast<int64_t>(message.credit().samples());
    }
    Feed();
  } else if (message.has_started()) {
    const MutexLock lock(&mu_);
    version_ = VersionOf(message.started().model());
  }
  if (listener_.MayWrite(held.self)) held.session->OnWritten(true);
}

void Sequence::AnswerFirst() {
  std::optional<Pending> first;
  bool last = false;
  {
    const MutexLock lock(&mu_);
    first = std::move(pending_.front());
    pending_.pop_front();
    --fed_;
    last = stream_ended_ && pending_.empty();
  }
  listener_.Answered(MakeAnswer(*std::move(first)));
  if (last) session_->OnGone();
}

InferAnswer Sequence::MakeAnswer(Pending pending) {
  const Clock& clock = *services_.sessions.clock;
  const absl::Time due = clock.Now();
  int64_t version = 0;
  {
    const MutexLock lock(&mu_);
    version = version_;
  }
  InferAnswer answer{.input_bytes = static_cast<int64_t>(pending.request.audio.size())};
  answer.response = MakeInferResponse(pending.request, VersionText(version), std::move(pending.answer));
  services_.statistics->Succeeded(model_, version,
                                  {.input = pending.decoding,
                                   .queue = pending.fed - pending.added,
                                   .infer = due - pending.fed,
                                   .output = clock.Now() - due},
                                  services_.time_of_day->Now());
  return answer;
}

InferAnswer Sequence::MakeRefusal(const Pending& pending, const absl::Status& status) {
  int64_t version = 0;
  {
    const MutexLock lock(&mu_);
    version = version_;
  }
  services_.statistics->Failed(model_, version, services_.sessions.clock->Now() - pending.added);
  return {.status = status,
          .response = MakeErrorResponse(pending.request.id, pending.request.model, VersionText(version)),
          .input_bytes = static_cast<int64_t>(pending.request.audio.size())};
}

void Sequence::Finish(const absl::Status& status) {
  const Held held = Hold();
  std::deque<Pending> pending;
  TenantQuotas::Lease quota;
  {
    const MutexLock lock(&mu_);
    over_ = true;
    quota = std::move(quota_);
    pending.swap(pending_);
    fed_ = 0;
  }
  std::vector<InferAnswer> rest;
  for (Pending& left : pending) {
    rest.push_back(status.ok() ? MakeAnswer(std::move(left)) : MakeRefusal(left, status));
  }
  held.session->Detach();
  services_.roster->Remove(held.session.get());
  quota = {};  // before its owner is told
  listener_.Ended(*this, status, std::move(rest));
}

}  // namespace ddsp::server::kserve
