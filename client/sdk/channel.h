// A connection to a server. Streams share it: make one for many.
#pragma once

#include <memory>
#include <string>

#include "client/sdk/server_address.h"

namespace grpc {
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace ddsp::client {

// Connects when first used. Each channel has a connection of its own, so a program with hundreds of streams can spread
// them over several. Calls of an address for which CheckAddress() has an error fail.
std::shared_ptr<grpc::Channel> MakeChannel(const ServerAddress& address, int max_message_bytes = 4 << 20);

// The same for jobs: it finds a server that was restarted within seconds, and takes lists of many jobs.
std::shared_ptr<grpc::Channel> MakeJobsChannel(const ServerAddress& address);

// For channels with arguments of their own. `server_name` of the security is theirs to set
// (GRPC_SSL_TARGET_NAME_OVERRIDE_ARG).
std::shared_ptr<grpc::ChannelCredentials> MakeCredentials(const ServerAddress& address);

// A loopback address or a socket in the file system.
bool IsThisMachine(const std::string& target);

}  // namespace ddsp::client
