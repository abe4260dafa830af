// Unary calls on the callback API that are worked off in a queue.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/status_details.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// Carries one call: its status goes out with its details, and trailers that go with it.
class UnaryReactor : public grpc::ServerUnaryReactor {
 public:
  explicit UnaryReactor(grpc::CallbackServerContext* context) : context_(context) {}
  void End(const absl::Status& status) {
    for (const auto& [key, value] : TrailersOf(status)) context_->AddTrailingMetadata(key, value);
    Finish(ToGrpc(status));
  }
  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext* const context_;
};

// Runs `work` in the queue and ends the call with its status; ends it at once where the queue is full.
inline grpc::ServerUnaryReactor* StartUnary(grpc::CallbackServerContext* context, WorkQueue& queue,
                                            std::function<absl::Status()> work) {
  auto* reactor = new UnaryReactor(context);
  const absl::Status posted = queue.Post([context, reactor, work = std::move(work)] {
    // Who has given up is not waited for.
    reactor->End(context->IsCancelled() ? absl::CancelledError("the call was cancelled") : work());
  });
  if (!posted.ok()) reactor->End(posted);
  return reactor;
}

}  // namespace ddsp::server
