#include "client/pacing/quantiles.h"

#include <algorithm>
#include <cmath>

namespace ddsp::client {

double Quantile(std::vector<double>& values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(fraction * values.size() - 1e-9));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

}  // namespace ddsp::client
