// ddsp.v1.Sessions from an operator's side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/sdk/server_address.h"
#include "ddsp/v1/sessions.grpc.pb.h"

namespace ddsp::client {

class SessionsClient {
 public:
  // `server` is HOST:PORT of the admin port.
  explicit SessionsClient(const ServerAddress& server);

  // Of `model` ("violin", "violin/1"); empty: all. Errors are those of the server, and UNAVAILABLE where none answers.
  absl::StatusOr<std::vector<v1::Session>> List(const std::string& model);
  absl::StatusOr<v1::Session> Kill(const std::string& id, const std::string& reason);

 private:
  const std::unique_ptr<v1::Sessions::Stub> stub_;
};

}  // namespace ddsp::client
