#include "server/rpc/endpoint.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "server/rpc/call.h"

namespace ddsp::server {
namespace {

constexpr std::chrono::milliseconds kLastFlush(50);
// For a client to finish its TLS handshake.
constexpr int kHandshakeMs = 20000;
constexpr int kMaxReceiveBytes = 4 * 1024 * 1024;

// Our own clients may ping every 20 s.
void SetKeepalive(const Endpoint::Options& options, grpc::ServerBuilder& builder) {
  const auto milliseconds = [](absl::Duration time) { return static_cast<int>(absl::ToInt64Milliseconds(time)); };
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(options.keepalive_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
}

// Bookkeeping for each message that nobody asks for: statistics of channelz, which is not served; compression of
// answers, which are noise to a compressor.
void SpareWork(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Open(const Options& options, std::unique_ptr<MethodTable> methods) {
  // The library's own health service would bring polling threads of its own.
  grpc::EnableDefaultHealthCheckService(false);
  auto endpoint = std::unique_ptr<Endpoint>(new Endpoint(
      std::move(methods), options.credentials != nullptr ? options.credentials : grpc::InsecureServerCredentials()));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, endpoint->credentials_, &endpoint->port_);
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // A second server on the same address is an error, not a sharing of it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  if (options.max_connection_age > absl::ZeroDuration()) {
    // Without a grace its calls go on for as long as they like.
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(absl::ToInt64Milliseconds(options.max_connection_age)));
  }
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  SetKeepalive(options, builder);
  SpareWork(builder);
  if (options.memory_bytes > 0) {
    grpc::ResourceQuota quota("ddsp-server");
    builder.SetResourceQuota(quota.Resize(options.memory_bytes));
  }
  builder.RegisterAsyncGenericService(&endpoint->service_);
  endpoint->queue_ = builder.AddCompletionQueue();
  endpoint->server_ = builder.BuildAndStart();
  if (endpoint->server_ == nullptr || endpoint->port_ == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.address));
  }
  Call::Await({.service = &endpoint->service_,
               .queue = endpoint->queue_.get(),
               .router = endpoint->methods_.get(),
               .ledger = &endpoint->ledger_,
               .services = options.calls,
               .gate = options.gate});
  return endpoint;
}

void Endpoint::Stop() {
  // gRPC waits for all of this time even when there is nothing to wait for.
  server_->Shutdown(std::chrono::system_clock::now() + kLastFlush);
  ledger_.WaitUntilEmpty();
  queue_->Shutdown();
}

}  // namespace ddsp::server
