#include "core/datasets/feature_ranges.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/status_macros.h"

namespace ddsp {

absl::StatusOr<std::map<std::string, FeatureRange>> MeasureFeatures(const ExampleSet& set) {
  constexpr int64_t kAtOnce = 64;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::map<std::string, FeatureRange> ranges;
  for (int64_t start = 0; start < set.size(); start += kAtOnce) {
    std::vector<int64_t> indices(std::min(kAtOnce, set.size() - start));
    std::iota(indices.begin(), indices.end(), start);
    ASSIGN_OR_RETURN(const NamedTensors batch, set.Batch(indices));
    for (const auto& [name, values] : batch) {
      if (values.numel() == 0) continue;
      FeatureRange& range = ranges.try_emplace(name, FeatureRange{kInfinity, -kInfinity, 0}).first->second;
      range.min = std::min(range.min, values.min().item<double>());
      range.max = std::max(range.max, values.max().item<double>());
      range.mean += values.mean(at::kDouble).item<double>() * static_cast<double>(indices.size()) /
                    static_cast<double>(set.size());
    }
  }
  return ranges;
}

}  // namespace ddsp
