#include "client/sdk/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"

namespace ddsp::client {
namespace {

// A file that cannot be read gives nothing: CheckAddress() says why, and the server that its token is missing.
std::string TextOf(const std::string& file) { return file.empty() ? "" : ReadFile(file).value_or(""); }

// The token of each call.
class TokenPlugin : public grpc::MetadataCredentialsPlugin {
 public:
  TokenPlugin(std::string token, std::string file) : token_(std::move(token)), file_(std::move(file)) {}

  bool IsBlocking() const override { return !file_.empty(); }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    const std::string token(absl::StripAsciiWhitespace(file_.empty() ? token_ : TextOf(file_)));
    if (token.empty()) return {grpc::StatusCode::UNAUTHENTICATED, absl::StrCat("no token is in ", file_)};
    metadata->emplace("authorization", absl::StrCat("Bearer ", token));
    return grpc::Status::OK;
  }

 private:
  const std::string token_, file_;
};

std::shared_ptr<grpc::ChannelCredentials> ConnectionCredentials(const ServerAddress& address) {
  const ChannelSecurity& security = address.security;
  if (security.uses_tls()) {
    return grpc::SslCredentials({TextOf(security.ca_file), TextOf(security.key_file), TextOf(security.cert_file)});
  }
  if (!security.has_token()) return grpc::InsecureChannelCredentials();
  // The library sends tokens over no plain connection but one that it has seen to stay on this machine.
  return grpc::experimental::LocalCredentials(absl::StartsWith(address.target, "unix:") ? UDS : LOCAL_TCP);
}

grpc::ChannelArguments Arguments(const ServerAddress& address, int max_message_bytes) {
  constexpr int kKeepaliveMs = 30'000;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(max_message_bytes);
  if (!address.security.server_name.empty()) arguments.SetSslTargetNameOverride(address.security.server_name);
  return arguments;
}

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> MakeCredentials(const ServerAddress& address) {
  const ChannelSecurity& security = address.security;
  std::shared_ptr<grpc::ChannelCredentials> connection = ConnectionCredentials(address);
  if (!security.has_token()) return connection;
  return grpc::CompositeChannelCredentials(connection,
                                           grpc::experimental::MetadataCredentialsFromPlugin(
                                               std::make_unique<TokenPlugin>(security.token, security.token_file),
                                               security.uses_tls() ? GRPC_PRIVACY_AND_INTEGRITY : GRPC_SECURITY_NONE));
}

std::shared_ptr<grpc::Channel> MakeChannel(const ServerAddress& address, int max_message_bytes) {
  return grpc::CreateCustomChannel(address.target, MakeCredentials(address), Arguments(address, max_message_bytes));
}

std::shared_ptr<grpc::Channel> MakeJobsChannel(const ServerAddress& address) {
  // Pauses between calls are retry.h's; gRPC's own, up to two minutes, would come on top.
  constexpr int kFirstReconnectMs = 100, kLongestReconnectMs = 1000;
  grpc::ChannelArguments arguments = Arguments(address, 256 << 20);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  return grpc::CreateCustomChannel(address.target, MakeCredentials(address), arguments);
}

}  // namespace ddsp::client
