// Our counters under the names that Triton's have (`nv_inference_*`), for dashboards and autoscalers that know those.
// A request there is a block of output here.
#pragma once

#include <memory>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"

namespace ddsp::server {

class TritonAliases : public prometheus::Collectable {
 public:
  explicit TritonAliases(std::shared_ptr<prometheus::Registry> registry) : registry_(std::move(registry)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
};

// What the aliases of these families are; exposed for tests.
std::vector<prometheus::MetricFamily> AliasesOf(const std::vector<prometheus::MetricFamily>& families);

}  // namespace ddsp::server
