// Two gRPC servers that send back what they get, for comparison: on gRPC's callback API, and on this server's Wire.
#pragma once

#include <memory>

namespace ddsp::benchmarks {

class EchoServer {
 public:
  virtual ~EchoServer() = default;
  virtual int port() const = 0;
};

std::unique_ptr<EchoServer> MakeCallbackEcho();
std::unique_ptr<EchoServer> MakeWireEcho();

}  // namespace ddsp::benchmarks
