#include "server/rpc/endpoint.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "server/rpc/server_builder_options.h"

namespace ddsp::server {
namespace {

constexpr std::chrono::milliseconds kLastFlush(50);
constexpr int kMaxReceiveBytes = 4 * 1024 * 1024;

// Dead clients are found within 40 s; our own clients may ping every 20 s.
void SetKeepalive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Open(const Options& options) {
  grpc::EnableDefaultHealthCheckService(true);
  if (options.kind == Kind::kAdmin) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  if (options.kind == Kind::kPublic) builder.SetOption(std::make_unique<WithoutPlugins>());
  auto endpoint = std::unique_ptr<Endpoint>(new Endpoint());
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &endpoint->port_);
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // A second server on the same address is an error, not a sharing of it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  SetKeepalive(builder);
  if (options.memory_bytes > 0) {
    grpc::ResourceQuota quota("ddsp-server");
    builder.SetResourceQuota(quota.Resize(options.memory_bytes));
  }
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  endpoint->server_ = builder.BuildAndStart();
  if (endpoint->server_ == nullptr || endpoint->port_ == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.address));
  }
  return endpoint;
}

Endpoint::~Endpoint() {
  if (server_ == nullptr) return;
  // gRPC waits for all of this time even when there is nothing to wait for.
  server_->Shutdown(std::chrono::system_clock::now() + kLastFlush);
  server_->Wait();
}

void Endpoint::SetHealth(const std::string& service, Health health) {
  server_->GetHealthCheckService()->SetServingStatus(service, health == Health::kServing);
}

void Endpoint::SetUnhealthy() { server_->GetHealthCheckService()->SetServingStatus(false); }

}  // namespace ddsp::server
