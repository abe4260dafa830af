// Methods of one message each way.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/rpc/call.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// Fills the response; its status ends the call.
template <typename Request, typename Response>
using UnaryWork = std::function<absl::Status(const Request&, Response*)>;

template <typename Request, typename Response>
class UnaryCall : public CallHandler {
 public:
  // `queue` runs the work, or, where it is null, the I/O thread at once. A full queue ends the call.
  UnaryCall(Call& call, WorkQueue* queue, UnaryWork<Request, Response> work)
      : call_(call), queue_(queue), work_(std::move(work)) {
    call_.Read();
  }

  void OnRead(grpc::ByteBuffer* message) override {
    if (message == nullptr) return call_.Finish(MakeError(Reason::kMessageMalformed, "the call brought no message"));
    // Itself, what is read from it, and an answer of the like.
    if (const absl::Status kept = call_.record().Keep(kCopies * static_cast<int64_t>(message->Length())); !kept.ok()) {
      return call_.Finish(kept);
    }
    if (!Parse(message, &request_)) {
      return call_.Finish(
          MakeError(Reason::kMessageMalformed, absl::StrCat("the message is no ", Request::descriptor()->full_name())));
    }
    if (queue_ == nullptr) return Answer();
    if (const absl::Status posted = queue_->Post([this] { Answer(); }); !posted.ok()) call_.Finish(posted);
  }

 private:
  static constexpr int64_t kCopies = 3;

  void Answer() {
    // Who has given up is not waited for.
    const absl::Status status =
        call_.cancelled() ? absl::CancelledError("the call was cancelled") : work_(request_, &response_);
    status.ok() ? call_.Finish(response_) : call_.Finish(status);
  }

  Call& call_;
  WorkQueue* const queue_;
  const UnaryWork<Request, Response> work_;
  Request request_;
  Response response_;
};

template <typename Request, typename Response>
std::unique_ptr<CallHandler> MakeUnaryCall(Call& call, WorkQueue* queue, UnaryWork<Request, Response> work) {
  return std::make_unique<UnaryCall<Request, Response>>(call, queue, std::move(work));
}

}  // namespace ddsp::server
