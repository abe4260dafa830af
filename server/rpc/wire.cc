#include "server/rpc/wire.h"

#include <utility>

#include "core/base/status_macros.h"

namespace ddsp::server {

absl::StatusOr<Endpoint*> Wire::Open(const Endpoint::Options& options, std::unique_ptr<MethodTable> methods) {
  ASSIGN_OR_RETURN(std::unique_ptr<Endpoint> endpoint, Endpoint::Open(options, std::move(methods)));
  endpoints_.push_back(std::move(endpoint));
  return endpoints_.back().get();
}

void Wire::Serve() {
  std::vector<grpc::CompletionQueue*> queues;
  for (const auto& endpoint : endpoints_) queues.push_back(endpoint->queue());
  io_ = std::make_unique<IoThread>(std::move(queues), [this] { return LiveCalls(); });
}

int Wire::LiveCalls() const {
  int calls = 0;
  for (const auto& endpoint : endpoints_) calls += endpoint->live_calls();
  return calls;
}

Wire::~Wire() {
  if (endpoints_.empty()) return;
  if (io_ == nullptr) Serve();  // what is shut down must be brought to its end
  for (const auto& endpoint : endpoints_) endpoint->Stop();
  io_.reset();
}

}  // namespace ddsp::server
