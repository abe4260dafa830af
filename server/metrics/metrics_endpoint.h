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
  // Errors: UNAVAILABLE that names the address.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Open(const std::string& address,
                                                               const std::shared_ptr<prometheus::Registry>& registry);
  int port() const { return exposer_->GetListeningPorts().at(0); }

 private:
  explicit MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer) : exposer_(std::move(exposer)) {}
  const std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace ddsp::server
