#include "server/kserve/stream_infer_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/kserve/infer_response.h"
#include "server/rpc/session_origin.h"

namespace ddsp::server::kserve {
namespace {

constexpr char kErrorHeader[] = "triton_grpc_error";
// What a request costs here besides its samples.
constexpr int64_t kRequestBytes = 512;

int64_t CostOf(int64_t audio_bytes) { return audio_bytes + kRequestBytes; }

absl::Status CheckLength(const InferRequest& request, int64_t limit) {
  const auto bytes = static_cast<int64_t>(request.audio.size());
  if (request.whole() || bytes <= limit) return absl::OkStatus();
  return MakeError(
      Reason::kBlockTooLarge,
      absl::StrCat(bytes, " bytes of audio are above the limit of ", limit, " for a request of a sequence"),
      {{"bytes", absl::StrCat(bytes)}, {"limit", absl::StrCat(limit)}});
}

absl::Status NoSequence(const std::string& id) {
  return MakeError(Reason::kSessionNotFound,
                   absl::StrCat("this call has no sequence ", id, ", or no longer; begin it with sequence_start"),
                   {{"sequence_id", id}});
}

}  // namespace

StreamInferCall::StreamInferCall(Call& call, const SequenceServices& services)
    : call_(call),
      services_(services),
      error_form_(call.Header(kErrorHeader) == "true" ? ErrorForm::kStatus : ErrorForm::kInBand),
      backlog_bytes_(services.sessions.limits.max_output_backlog_bytes) {
  call_.Read();
}

// ---------------------------------------------------------------- the wire

void StreamInferCall::OnRead(grpc::ByteBuffer* message) {
  if (message == nullptr) return HalfClosed();
  inference::ModelInferRequest wire;
  if (!Parse(message, &wire)) {
    return Fail(MakeError(Reason::kMessageMalformed, "a message is no inference.ModelInferRequest"));
  }
  if (const absl::Status status = Take(wire); !status.ok()) {
    if (error_form_ == ErrorForm::kStatus) return Fail(status);
    Push({.status = status, .response = MakeErrorResponse(wire.id(), wire.model_name(), wire.model_version())});
  }
  {
    const MutexLock lock(&mu_);
    reading_ = false;  // from now on: the message was in use
  }
  ReadOn();
  Proceed();
}

absl::Status StreamInferCall::Take(inference::ModelInferRequest& wire) {
  const Clock& clock = *services_.sessions.clock;
  const absl::Time arrived = clock.Now();
  ASSIGN_OR_RETURN(InferRequest request, ReadInferRequest(wire));
  RETURN_IF_ERROR(CheckLength(request, services_.sessions.limits.max_block_bytes));
  ASSIGN_OR_RETURN(const std::shared_ptr<Sequence> sequence, SequenceOf(request));
  const int64_t cost = CostOf(static_cast<int64_t>(request.audio.size()));
  {
    const MutexLock lock(&mu_);
    if (request.end) open_.erase(request.sequence);
    input_bytes_ += cost;
  }
  const std::string id = request.sequence;
  if (sequence->Add(std::move(request), clock.Now() - arrived)) return absl::OkStatus();
  const MutexLock lock(&mu_);
  input_bytes_ -= cost;
  return NoSequence(id);
}

absl::StatusOr<std::shared_ptr<Sequence>> StreamInferCall::SequenceOf(const InferRequest& request) {
  std::shared_ptr<Sequence> open;
  {
    const MutexLock lock(&mu_);
    if (const auto found = open_.find(request.sequence); found != open_.end()) open = found->second;
  }
  if (open != nullptr && request.start) {
    return MakeError(Reason::kSessionExists, absl::StrCat("sequence ", request.sequence, " has begun already"),
                     {{"sequence_id", request.sequence}});
  }
  if (open != nullptr) {
    RETURN_IF_ERROR(open->CheckNext(request));
    return open;
  }
  if (!request.start) return NoSequence(request.sequence);
  ASSIGN_OR_RETURN(TenantQuotas::Lease quota, call_.TakeSession());
  ASSIGN_OR_RETURN(open, Sequence::Open(services_, request,
                                        {.origin = OriginOf(call_, "kserve"), .quota = std::move(quota)}, *this));
  const MutexLock lock(&mu_);
  live_[open.get()] = open;
  if (!request.sequence.empty()) open_[request.sequence] = open;
  return open;
}

void StreamInferCall::HalfClosed() {
  Sequences live;
  {
    const MutexLock lock(&mu_);
    if (!final_status_.has_value()) final_status_ = absl::OkStatus();
    live = All();
    open_.clear();
  }
  for (const auto& sequence : live) sequence->StreamEnded();
  Proceed();
}

void StreamInferCall::Fail(const absl::Status& status) {
  Sequences live;
  {
    const MutexLock lock(&mu_);
    if (!final_status_.has_value()) final_status_ = status;
    live = All();
    open_.clear();
  }
  for (const auto& sequence : live) sequence->Gone();
  Proceed();
}

void StreamInferCall::OnCancel() {
  Sequences live, held;
  {
    const MutexLock lock(&mu_);
    gone_ = true;
    if (!final_status_.has_value()) final_status_ = absl::CancelledError("the client has gone");
    queue_.clear();
    queued_bytes_ = 0;
    live = All();
    held.swap(held_);
  }
  for (const auto& sequence : live) sequence->Gone();
  for (const auto& sequence : held) sequence->ProceedWriting(false);
  Proceed();
}

void StreamInferCall::OnWritten(bool ok) {
  Sequences flowing;
  {
    const MutexLock lock(&mu_);
    writing_ = false;
    if (!ok) queue_.clear(), queued_bytes_ = 0;
    if (!congested()) flowing.swap(held_);
  }
  for (const auto& sequence : flowing) sequence->ProceedWriting(ok);
  ReadOn();
  Proceed();
}

// ---------------------------------------------------------------- the sequences

void StreamInferCall::Answered(InferAnswer answer) {
  Uncount(answer);
  Push(std::move(answer));
  ReadOn();
  Proceed();
}

void StreamInferCall::Ended(Sequence& sequence, const absl::Status& status, std::vector<InferAnswer> rest) {
  bool failed = false;
  {
    const MutexLock lock(&mu_);
    // Once the call ends, so do its sequences; that is no news.
    failed = !status.ok() && !final_status_.has_value();
    if (const auto found = open_.find(sequence.id()); found != open_.end() && found->second.get() == &sequence) {
      open_.erase(found);
    }
  }
  for (const InferAnswer& answer : rest) Uncount(answer);
  // A client that waits for no answer is to know all the same.
  if (failed && rest.empty()) rest.push_back(MakeNotice(sequence, status));
  for (InferAnswer& answer : rest) Push(std::move(answer));
  if (failed && error_form_ == ErrorForm::kStatus) Fail(status);
  ReadOn();
  // While the sequence is here the call cannot end: it leaves in the moment in which it is decided what comes next.
  Proceed(&sequence);
}

bool StreamInferCall::MayWrite(const std::shared_ptr<Sequence>& sequence) {
  const MutexLock lock(&mu_);
  if (gone_ || !congested()) return true;
  held_.push_back(sequence);
  return false;
}

// What nobody asked for, as the sequence ended between two requests.
InferAnswer StreamInferCall::MakeNotice(const Sequence& sequence, const absl::Status& status) {
  InferAnswer notice{.status = status};
  (*notice.response.mutable_parameters())["sequence_id"].set_string_param(sequence.id());
  return notice;
}

// ---------------------------------------------------------------- both

bool StreamInferCall::congested() const { return queued_bytes_ >= backlog_bytes_; }

StreamInferCall::Sequences StreamInferCall::All() const {
  Sequences all;
  for (const auto& [unused, sequence] : live_) all.push_back(sequence);
  return all;
}

void StreamInferCall::Push(InferAnswer answer) {
  const bool told = answer.status.ok() || error_form_ == ErrorForm::kInBand;
  inference::ModelStreamInferResponse message;
  if (!answer.status.ok()) message.set_error_message(std::string(WithReasonInText(answer.status).message()));
  *message.mutable_infer_response() = std::move(answer.response);
  const auto bytes = static_cast<int64_t>(message.ByteSizeLong());
  const MutexLock lock(&mu_);
  if (!told || gone_ || !final_status_.value_or(absl::OkStatus()).ok()) return;
  queued_bytes_ += bytes;
  queue_.push_back(std::move(message));
}

void StreamInferCall::Uncount(const InferAnswer& answer) {
  const MutexLock lock(&mu_);
  input_bytes_ -= CostOf(answer.input_bytes);
}

void StreamInferCall::ReadOn() {
  {
    const MutexLock lock(&mu_);
    if (reading_ || final_status_.has_value() || congested() || input_bytes_ >= backlog_bytes_) return;
    reading_ = true;
  }
  call_.Read();
}

void StreamInferCall::Proceed(const Sequence* ended) {
  std::shared_ptr<Sequence> left;  // destroyed outside the lock
  std::optional<inference::ModelStreamInferResponse> message;
  std::optional<absl::Status> status;
  bool more = false;
  {
    const MutexLock lock(&mu_);
    if (const auto found = live_.find(ended); found != live_.end()) {
      left = std::move(found->second);
      live_.erase(found);
    }
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      writing_ = true;
      message = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= static_cast<int64_t>(message->ByteSizeLong());
      more = !queue_.empty();
    } else if (final_status_.has_value() && live_.empty()) {
      finished_ = true;
      status = final_status_;
    }
  }
  if (message.has_value()) return call_.Write(*message, more);
  if (status.has_value()) call_.Finish(*status);
}

}  // namespace ddsp::server::kserve
