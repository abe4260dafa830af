#include "client/sdk/resuming_relay.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "client/sdk/server_list.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

// Whether another server, or the same one later, may go on: it is full, stops or is gone. A broken connection has many
// codes, but never the details that a server of ours gives with an error of its own.
bool AnotherMayGoOn(const absl::Status& error) {
  if (absl::IsUnavailable(error)) return true;
  const bool of_transport =
      absl::IsUnknown(error) || absl::IsInternal(error) || absl::IsCancelled(error) || absl::IsDeadlineExceeded(error);
  return of_transport && !DetailsOf(error).has_value();
}

bool IsOutput(const StreamMessage& message) {
  return std::holds_alternative<AudioBlock>(message) || std::holds_alternative<FeatureBlock>(message) ||
         std::holds_alternative<StreamSummary>(message);
}

}  // namespace

ResumingStream::Relay::Relay(std::vector<std::string> servers, StreamOptions options, ResumeOptions resume)
    : servers_(std::move(servers)),
      options_(std::move(options)),
      resume_(std::move(resume)),
      clock_(Clock::Steady()),
      opening_ends_(clock_.Now() + options_.open_timeout),
      session_(options_, resume_),
      addresses_(ResolveServers(servers_)),
      rotation_([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return addresses_; }, resume_.retry, resume_.seed) {}

ResumingStream::Relay::~Relay() {
  Cancel();
  if (driver_.joinable()) driver_.join();
}

absl::Status ResumingStream::Relay::Start() {
  driver_ = std::thread([this] { Run(); });
  pthread_setname_np(driver_.native_handle(), "ddsp-stream");
  MutexLock lock(&mu_);
  while (!ever_started_ && state_ != State::kOver) changed_.Wait(&mu_);
  if (!ever_started_) return status_.ok() ? absl::InternalError("the server ended the session early") : status_;
  started_ = session_.info();
  return absl::OkStatus();
}

void ResumingStream::Relay::Run() {
  for (Step step = Await(); step != Step::kStop; step = Await()) {
    if (step == Step::kCall) Call();
    if (step == Step::kMove) Move();
    DropEndedLinks();
  }
  {
    MutexLock lock(&mu_);
    if (link_ != nullptr) old_links_.push_back(std::move(link_));
  }
  old_links_.clear();  // waits for their ends
  absl::Status end;
  {
    MutexLock lock(&mu_);
    end = status_;
  }
  const MutexLock deliver(&delivery_);
  if (options_.on_end) options_.on_end(end);
}

ResumingStream::Relay::Step ResumingStream::Relay::Await() {
  MutexLock lock(&mu_);
  while (true) {
    const absl::Time now = clock_.Now();
    if (cancelled_) End(absl::CancelledError("this side cancelled the session"));
    if (state_ == State::kOver) return Step::kStop;
    if (state_ == State::kSeeking && now >= call_at_) return Step::kCall;
    const std::optional<absl::Time> next_look = Look(now);
    if (state_ == State::kOver) return Step::kStop;
    if (loss_) return Step::kMove;
    driver_wakes_.WaitFor(&mu_, absl::ToChronoNanoseconds(next_look.value_or(call_at_) - now));
  }
}

// Looks whether the server lives; returns when to look again.
std::optional<absl::Time> ResumingStream::Relay::Look(absl::Time now) {
  if (loss_ || link_ == nullptr) return std::nullopt;
  if (state_ == State::kCalling) {
    if (now >= answer_due_) {
      Lose(absl::DeadlineExceededError(
          absl::StrCat(rotation_.current(), " did not start a session within ",
                       absl::FormatDuration(std::min(resume_.attempt_timeout, options_.open_timeout)))));
    }
    return answer_due_;
  }
  switch (liveness_->Look(now)) {
    case Liveness::Verdict::kAlive:
      break;
    case Liveness::Verdict::kAsk:
      session_.Ping(now);
      Pump();
      break;
    case Liveness::Verdict::kDead:
      Lose(absl::UnavailableError(absl::StrCat(rotation_.current(), " has said nothing for ",
                                               absl::FormatDuration(now - liveness_->last_heard()))));
      break;
  }
  return liveness_->next_look();
}

void ResumingStream::Relay::Call() {
  std::string address;
  {
    MutexLock lock(&mu_);
    address = rotation_.current();
  }
  auto link = std::make_unique<SessionLink>(resume_.connect(address), this);
  SessionLink* const call = link.get();
  SessionLink::Request first;
  {
    MutexLock lock(&mu_);
    const absl::Time now = clock_.Now();
    first = std::make_shared<const v1::StreamSessionRequest>(session_.Begin());
    link_ = std::move(link);
    input_closed_ = progress_ = false;
    state_ = State::kCalling;
    answer_due_ = now + resume_.attempt_timeout;
    if (!ever_started_) answer_due_ = std::min(answer_due_, opening_ends_);
    liveness_.emplace(resume_.ping_interval, resume_.dead_after, now);
  }
  call->Start(std::move(first));
}

void ResumingStream::Relay::Move() {
  // A look-up may take its time.
  std::vector<std::string> addresses = ResolveServers(servers_);
  MutexLock lock(&mu_);
  addresses_ = std::move(addresses);
  const absl::Status loss = *std::exchange(loss_, std::nullopt);
  const absl::Time now = clock_.Now();
  const bool played = state_ == State::kPlaying;
  if (link_ != nullptr) old_links_.push_back(std::move(link_));
  if ((played || !ever_started_) && !AnotherMayGoOn(loss)) return End(loss);
  if (played) {
    // A server that plays for a while, or brings something new, ends a series of failures.
    if (progress_ || now - playing_since_ >= resume_.dead_after) rotation_.Reset();
    if (!move_) {
      move_ = Resumption{.cause = loss, .from = rotation_.current(), .detection = lost_at_ - liveness_->last_heard()};
      moving_since_ = lost_at_;
    }
  }
  const std::optional<ServerRotation::Attempt> next = rotation_.Next(loss, now);
  // Whoever opens a session wants to know soon that nobody is there.
  if (!next || (!ever_started_ && (next->pause > absl::ZeroDuration() || now >= opening_ends_))) return End(loss);
  state_ = State::kSeeking;
  call_at_ = now + next->pause;
}

void ResumingStream::Relay::DropEndedLinks() {
  std::erase_if(old_links_, [](const std::unique_ptr<SessionLink>& link) { return link->ended(); });
}

void ResumingStream::Relay::Received(SessionLink& link, const v1::StreamSessionResponse& response) {
  const MutexLock deliver(&delivery_);
  std::vector<StreamMessage> fresh;
  std::optional<Resumption> move;
  {
    MutexLock lock(&mu_);
    if (&link != link_.get() || loss_ || state_ == State::kOver) return;
    move = Take(response, &fresh);
    if (!options_.on_message) {
      for (StreamMessage& message : fresh) unread_.push_back(std::move(message));
    }
    changed_.NotifyAll();
  }
  if (move && resume_.on_resumed) resume_.on_resumed(*move);
  if (!options_.on_message) return;
  for (StreamMessage& message : fresh) {
    {
      MutexLock lock(&mu_);
      session_.WasRead(message);
      Pump();
    }
    options_.on_message(std::move(message));
  }
}

std::optional<Resumption> ResumingStream::Relay::Take(const v1::StreamSessionResponse& response,
                                                      std::vector<StreamMessage>* fresh) {
  const absl::Time now = clock_.Now();
  liveness_->Heard(now);
  if (const absl::Status status = session_.Take(response, fresh); !status.ok()) {
    Lose(status);
    return std::nullopt;
  }
  if (state_ == State::kCalling) {
    state_ = State::kPlaying;
    playing_since_ = now;
    ever_started_ = true;
    if (move_) {
      move_->to = rotation_.current();
      move_->reconnection = now - moving_since_;
      move_->from_snapshot = session_.from_snapshot();
      move_->replayed_input = session_.replayed_input();
    }
    driver_wakes_.NotifyOne();
  }
  Pump();
  const bool brings_output = std::any_of(fresh->begin(), fresh->end(), IsOutput);
  progress_ |= brings_output;
  // It is no loss of the user's: what comes after this would come again.
  if (session_.left()) Lose(absl::UnavailableError("the server is going"));
  return brings_output ? CompleteMove(now) : std::nullopt;
}

std::optional<Resumption> ResumingStream::Relay::CompleteMove(absl::Time now) {
  if (!move_) return std::nullopt;
  move_->replay = now - playing_since_;
  move_->repeated_output = session_.repeated_output();
  moves_.push_back(*std::exchange(move_, std::nullopt));
  return moves_.back();
}

void ResumingStream::Relay::Ended(SessionLink& link, const absl::Status& status) {
  MutexLock lock(&mu_);
  if (&link != link_.get() || loss_ || state_ == State::kOver) return;
  Lose(status.ok() ? absl::UnavailableError("the server ended the session before its summary") : status);
}

void ResumingStream::Relay::Lose(const absl::Status& status) {
  // All has come, whatever becomes of the call.
  if (session_.summarized()) return End(absl::OkStatus());
  loss_ = status;
  lost_at_ = clock_.Now();
  // A server that goes ends the call itself.
  if (!session_.left()) link_->Cancel();
  driver_wakes_.NotifyOne();
}

void ResumingStream::Relay::End(const absl::Status& status) {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  status_ = status;
  changed_.NotifyAll();
  driver_wakes_.NotifyOne();
}

absl::Status ResumingStream::Relay::Kept(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) End(status);
  return status;
}

absl::Status ResumingStream::Relay::WritableStatus() {
  if (state_ == State::kOver) return status_.ok() ? absl::FailedPreconditionError("the session has ended") : status_;
  if (session_.finished()) return absl::FailedPreconditionError("the session's input is finished");
  return absl::OkStatus();
}

void ResumingStream::Relay::Pump() {
  if (link_ == nullptr || loss_ || input_closed_) return;
  while (ResumableSession::Request request = session_.NextToSend()) link_->Send(std::move(request));
  if (!session_.all_sent()) return;
  input_closed_ = true;
  link_->CloseInput();
}

absl::StatusOr<size_t> ResumingStream::Relay::TryWrite(absl::Span<const float> samples) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  const absl::StatusOr<size_t> taken = session_.Add(samples);
  RETURN_IF_ERROR(Kept(taken.status()));
  Pump();
  return taken;
}

absl::Status ResumingStream::Relay::Write(absl::Span<const float> samples) {
  while (true) {
    ASSIGN_OR_RETURN(const size_t taken, TryWrite(samples));
    samples.remove_prefix(taken);
    if (samples.empty()) return absl::OkStatus();
    MutexLock lock(&mu_);
    while (!session_.has_room() && state_ != State::kOver) changed_.Wait(&mu_);
  }
}

absl::Status ResumingStream::Relay::WriteControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  if (frame_samples < 1)
    return absl::InvalidArgumentError(absl::StrCat("frame_samples is ", frame_samples, "; at least 1"));
  MutexLock lock(&mu_);
  while (!frames.empty()) {
    RETURN_IF_ERROR(WritableStatus());
    const absl::StatusOr<int64_t> taken = session_.AddControls(frames, frame_samples);
    RETURN_IF_ERROR(Kept(taken.status()));
    Pump();
    frames.remove_prefix(*taken);
    if (*taken == 0) changed_.Wait(&mu_);
  }
  return absl::OkStatus();
}

absl::Status ResumingStream::Relay::ChangeParameters(int64_t sample, const Parameters& parameters) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  RETURN_IF_ERROR(Kept(session_.ChangeParameters(sample, parameters)));
  Pump();
  return absl::OkStatus();
}

absl::Status ResumingStream::Relay::Flush(uint64_t id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  RETURN_IF_ERROR(Kept(session_.Flush(id)));
  Pump();
  return absl::OkStatus();
}

absl::Status ResumingStream::Relay::Finish() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  RETURN_IF_ERROR(Kept(session_.Finish()));
  Pump();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<StreamMessage>> ResumingStream::Relay::Read() {
  MutexLock lock(&mu_);
  while (unread_.empty() && state_ != State::kOver) changed_.Wait(&mu_);
  if (unread_.empty()) {
    if (status_.ok()) return std::nullopt;
    return status_;
  }
  StreamMessage message = std::move(unread_.front());
  unread_.pop_front();
  session_.WasRead(message);
  Pump();
  return message;
}

void ResumingStream::Relay::Cancel() {
  MutexLock lock(&mu_);
  cancelled_ = true;
  driver_wakes_.NotifyOne();
}

std::vector<Resumption> ResumingStream::Relay::resumptions() const {
  MutexLock lock(&mu_);
  return moves_;
}

}  // namespace ddsp::client
