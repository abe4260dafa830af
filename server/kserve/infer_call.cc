#include "server/kserve/infer_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/rpc/session_origin.h"

namespace ddsp::server::kserve {
namespace {

// Of a recording: itself, what is read from it, and an answer of the like.
constexpr int64_t kCopies = 3;

}  // namespace

InferCall::InferCall(Call& call, const SequenceServices& services) : call_(call), services_(services) { call_.Read(); }

void InferCall::OnRead(grpc::ByteBuffer* message) {
  if (const absl::Status status = Begin(message); !status.ok()) call_.Finish(status);
}

absl::Status InferCall::Begin(grpc::ByteBuffer* message) {
  const absl::Time arrived = services_.sessions.clock->Now();
  inference::ModelInferRequest wire;
  if (message == nullptr) return MakeError(Reason::kMessageMalformed, "the call brought no message");
  RETURN_IF_ERROR(call_.record().Keep(kCopies * static_cast<int64_t>(message->Length())));
  if (!Parse(message, &wire))
    return MakeError(Reason::kMessageMalformed, "the message is no inference.ModelInferRequest");
  ASSIGN_OR_RETURN(InferRequest request, ReadInferRequest(wire));
  if (!request.whole()) {
    return MakeFieldError(
        Reason::kInvalidConfig,
        "a sequence of several requests lives in one ModelStreamInfer call; ModelInfer takes whole ones",
        {{"parameters[\"sequence_start\"]", "expected true, and sequence_end too"}});
  }
  ASSIGN_OR_RETURN(sequence_,
                   Sequence::Open(services_, request,
                                  {.qos = QualityOfService::kThroughput, .origin = OriginOf(call_, "kserve")}, *this));
  // Its end, which may come at once, ends the call.
  const std::shared_ptr<Sequence> sequence = sequence_;
  sequence->Add(std::move(request), services_.sessions.clock->Now() - arrived);
  return absl::OkStatus();
}

void InferCall::OnCancel() {
  if (sequence_ != nullptr) sequence_->Gone();
}

void InferCall::Answered(InferAnswer) { DDSP_CHECK(false, "a whole sequence is answered by its end"); }

void InferCall::Ended(Sequence&, const absl::Status& status, std::vector<InferAnswer> rest) {
  status.ok() ? call_.Finish(rest.front().response) : call_.Finish(status);
}

}  // namespace ddsp::server::kserve
