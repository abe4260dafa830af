// A gRPC server on one address: the public one with the services, or the admin one with reflection. Health is on both.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::server {

class Endpoint {
 public:
  enum class Kind { kPublic, kAdmin };
  struct Options {
    Kind kind = Kind::kPublic;
    std::string address;  // "0.0.0.0:8001"; port 0 lets the system choose
    std::vector<grpc::Service*> services;
    int max_streams = 100;     // per connection
    int64_t memory_bytes = 0;  // of the gRPC library; 0: no bound
  };
  // Errors: UNAVAILABLE that names the address.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Open(const Options& options);
  // Calls that still run are cancelled.
  ~Endpoint();

  int port() const { return port_; }
  enum class Health { kServing, kNotServing };
  void SetHealth(const std::string& service, Health health);
  // NOT_SERVING for every name, from now on.
  void SetUnhealthy();

 private:
  Endpoint() = default;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace ddsp::server
