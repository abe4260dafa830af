// ddsp.v1.Models from a program's side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/sdk/cancellation.h"
#include "client/sdk/server_address.h"
#include "ddsp/v1/models.grpc.pb.h"

namespace ddsp::client {

class ModelsClient {
 public:
  // The admin port for all but List() and Watch().
  explicit ModelsClient(const ServerAddress& server, absl::Duration timeout = absl::Minutes(2));

  // Errors are those of the server, with their details, and UNAVAILABLE where none answers.
  absl::StatusOr<std::vector<v1::Model>> List(Cancellation* cancellation = nullptr);
  // Calls `take` with each model as it is and after every change, as long as the server is there: OK when it ends the
  // watch itself. `model` empty: all. Errors: also CANCELLED.
  absl::Status Watch(const std::string& model, Cancellation* cancellation,
                     absl::FunctionRef<void(const v1::Model&)> take);
  // `version` 0: the newest.
  absl::StatusOr<v1::Model> Load(const std::string& model, int64_t version);
  // `version` 0: all.
  absl::StatusOr<v1::Model> Unload(const std::string& model, int64_t version);
  absl::StatusOr<v1::Model> SetAlias(const std::string& model, const std::string& alias, int64_t version);
  absl::StatusOr<v1::Model> DeleteAlias(const std::string& model, const std::string& alias);

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Models::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                         Response*),
                                const Request& request, Cancellation* cancellation = nullptr);

  const std::unique_ptr<v1::Models::Stub> stub_;
  const absl::Duration timeout_;
};

}  // namespace ddsp::client
