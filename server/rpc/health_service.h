// grpc.health.v1.Health: whether the server, a service or a model serves. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/base/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "server/rpc/call.h"
#include "server/rpc/method_table.h"

namespace ddsp::server {

class HealthService {
 public:
  enum class Health { kServing, kNotServing };

  // Knows the server itself, as "", which serves. Outlives the calls of the methods that it adds.
  HealthService();
  void AddMethods(MethodTable* methods);

  // Of a service ("ddsp.v1.Synthesis") or a model ("model/violin"). Watchers are told.
  void Set(const std::string& name, Health health);
  // NOT_SERVING for every name, from now on.
  void SetUnhealthy();
  // Until then.
  bool healthy() const;

 private:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;
  class Watcher;

  absl::Status Check(const grpc::health::v1::HealthCheckRequest& request,
                     grpc::health::v1::HealthCheckResponse* response) const;
  absl::Status List(grpc::health::v1::HealthListResponse* response) const;
  Status StatusOf(const std::string& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::map<std::string, Status> statuses_ ABSL_GUARDED_BY(mu_);
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mu_);
  bool unhealthy_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::server
