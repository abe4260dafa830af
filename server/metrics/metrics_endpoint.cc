#include "server/metrics/metrics_endpoint.h"

#include <exception>

#include "absl/strings/str_cat.h"

namespace ddsp::server {

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Open(
    const std::string& address, const std::shared_ptr<prometheus::Registry>& registry,
    std::shared_ptr<prometheus::Collectable> more) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address, 1);
    exposer->RegisterCollectable(registry);
    if (more != nullptr) exposer->RegisterCollectable(more);
    return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(exposer), std::move(more)));
  } catch (const std::exception& error) {  // CivetException: the address is taken or malformed
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", error.what()));
  }
}

}  // namespace ddsp::server
