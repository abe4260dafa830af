// Quantiles of measured values.
#pragma once

#include <vector>

namespace ddsp::client {

// The smallest value that at least `fraction` of all values do not exceed (nearest rank); 0 when there are none.
// `fraction` in (0, 1]. Sorts `values`.
double Quantile(std::vector<double>& values, double fraction);

}  // namespace ddsp::client
