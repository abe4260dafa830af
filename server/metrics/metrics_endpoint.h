#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/exposer.h"
#include "prometheus/registry.h"

namespace ddsp::server {

// Serves GET /metrics as Prometheus text.
class MetricsEndpoint {
 public:
  // With what the registry has, and `more` where it is given. Errors: UNAVAILABLE that names the address.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Open(const std::string& address,
                                                               const std::shared_ptr<prometheus::Registry>& registry,
                                                               std::shared_ptr<prometheus::Collectable> more = nullptr);
  int port() const { return exposer_->GetListeningPorts().at(0); }

 private:
  explicit MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, std::shared_ptr<prometheus::Collectable> more)
      : more_(std::move(more)), exposer_(std::move(exposer)) {}
  const std::shared_ptr<prometheus::Collectable> more_;  // which the exposer does not hold
  const std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace ddsp::server
