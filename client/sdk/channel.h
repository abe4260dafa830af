// A connection to a server. Streams share it: make one for many.
#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace ddsp::client {

// `address` is HOST:PORT, "unix:/path" or anything else that gRPC resolves. Plain text; connects when first used.
// Each channel has a connection of its own, so a program with hundreds of streams can spread them over several.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

// The same for jobs: it finds a server that was restarted within seconds, and takes lists of many jobs.
std::shared_ptr<grpc::Channel> MakeJobsChannel(const std::string& address);

}  // namespace ddsp::client
