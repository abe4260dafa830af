// A gRPC server on one address, its calls brought by an IoThread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/call_ledger.h"
#include "server/rpc/method_table.h"

namespace ddsp::server {

class Endpoint {
 public:
  struct Options {
    std::string address;                                       // "0.0.0.0:8001"; port 0 lets the system choose
    int max_streams = 100;                                     // per connection
    int64_t memory_bytes = 0;                                  // of the gRPC library; 0: no bound
    const CallServices* calls = nullptr;                       // that keep records of calls; outlives the endpoint
    absl::Duration max_connection_age = absl::ZeroDuration();  // zero: any
    // After so long without a word a client is asked whether it lives, and so long for its answer. What it had is
    // cancelled then.
    absl::Duration keepalive_time = absl::Seconds(30), keepalive_timeout = absl::Seconds(10);
    // Null: plain text.
    std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
    Gate* gate = nullptr;  // outlives the endpoint; null: everybody may call everything
  };
  // Calls come once an IoThread serves queue(). `methods` is complete. Errors: UNAVAILABLE that names the address.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Open(const Options& options, std::unique_ptr<MethodTable> methods);

  // Cancels calls that still run, waits for their end and shuts the queue down. Once, with an IoThread at work; only
  // when that has ended the endpoint is destroyed.
  void Stop();

  int port() const { return port_; }
  grpc::CompletionQueue* queue() { return queue_.get(); }
  int live_calls() const { return ledger_.live(); }

 private:
  Endpoint(std::unique_ptr<MethodTable> methods, std::shared_ptr<grpc::ServerCredentials> credentials)
      : methods_(std::move(methods)), credentials_(std::move(credentials)) {}

  const std::unique_ptr<MethodTable> methods_;
  // Asked for certificates as long as there is a server.
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  CallLedger ledger_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace ddsp::server
