#include "client/sdk/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace ddsp::client {
namespace {

grpc::ChannelArguments Arguments(int max_message_bytes) {
  constexpr int kKeepaliveMs = 30'000;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(max_message_bytes);
  return arguments;
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments(4 << 20));
}

std::shared_ptr<grpc::Channel> MakeJobsChannel(const std::string& address) {
  // Pauses between calls are retry.h's; gRPC's own, up to two minutes, would come on top.
  constexpr int kFirstReconnectMs = 100, kLongestReconnectMs = 1000;
  grpc::ChannelArguments arguments = Arguments(256 << 20);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace ddsp::client
