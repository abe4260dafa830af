// What values a data set has.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/datasets/example_set.h"

namespace ddsp {

struct FeatureRange {
  double min = 0, max = 0, mean = 0;
};

// Over all examples, by feature; features without values are left out.
absl::StatusOr<std::map<std::string, FeatureRange>> MeasureFeatures(const ExampleSet& set);

}  // namespace ddsp
