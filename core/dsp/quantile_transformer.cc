#include "core/dsp/quantile_transformer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

constexpr double kBoundsThreshold = 1e-7;  // of the normal distribution: beyond it values are at the ends

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double NormalPpf(double p) { return at::special_ndtri(at::scalar_tensor(p, at::kDouble)).item<double>(); }

// In the steps of numpy.percentile: rounding decides on which side of equal values a quantile falls.
double Percentile(const std::vector<double>& sorted, double percent) {
  const double position = percent / 100.0 * static_cast<double>(sorted.size() - 1);
  const size_t lower = std::min(static_cast<size_t>(position), sorted.size() - 1);
  const size_t upper = std::min(lower + 1, sorted.size() - 1);
  const double t = position - static_cast<double>(lower), difference = sorted[upper] - sorted[lower];
  return t < 0.5 ? sorted[lower] + difference * t : sorted[upper] - difference * (1.0 - t);
}

}  // namespace

double Interpolate(double x, absl::Span<const double> xs, absl::Span<const double> ys) {
  if (std::isnan(x)) return x;
  const auto above = std::upper_bound(xs.begin(), xs.end(), x);
  if (above == xs.begin()) return ys.front();
  const size_t j = static_cast<size_t>(above - xs.begin()) - 1;
  if (j + 1 == xs.size() || xs[j] == x) return ys[j];
  return ys[j] + (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (x - xs[j]);
}

absl::StatusOr<QuantileTransformer> QuantileTransformer::Fit(absl::Span<const double> values, int64_t n_quantiles,
                                                             Distribution distribution) {
  if (n_quantiles <= 0)
    return absl::InvalidArgumentError(absl::StrCat("n_quantiles is ", n_quantiles, ", expected at least one"));
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted), [](double x) { return !std::isnan(x); });
  if (sorted.empty()) return absl::InvalidArgumentError("there are no values to fit");
  std::sort(sorted.begin(), sorted.end());

  QuantileTransformer fitted;
  fitted.distribution_ = distribution;
  const int64_t n = std::max<int64_t>(1, std::min<int64_t>(n_quantiles, static_cast<int64_t>(values.size())));
  const double step = n == 1 ? 0.0 : 1.0 / static_cast<double>(n - 1);
  for (int64_t i = 0; i < n; ++i) {
    const double reference = i > 0 && i == n - 1 ? 1.0 : static_cast<double>(i) * step;
    const double quantile = Percentile(sorted, reference * 100.0);
    fitted.references_.push_back(reference);
    fitted.quantiles_.push_back(fitted.quantiles_.empty() ? quantile : std::max(quantile, fitted.quantiles_.back()));
  }
  return fitted;
}

absl::StatusOr<QuantileTransformer> QuantileTransformer::FromQuantiles(std::vector<double> references,
                                                                       std::vector<double> quantiles,
                                                                       Distribution distribution) {
  if (references.empty() || references.size() != quantiles.size() ||
      !std::is_sorted(references.begin(), references.end()) || !std::is_sorted(quantiles.begin(), quantiles.end())) {
    return absl::InvalidArgumentError(absl::StrCat(references.size(), " references and ", quantiles.size(),
                                                   " quantiles, expected as many of both, rising"));
  }
  QuantileTransformer fitted;
  fitted.distribution_ = distribution;
  fitted.references_ = std::move(references);
  fitted.quantiles_ = std::move(quantiles);
  return fitted;
}

double QuantileTransformer::Transform(double x) const {
  if (std::isnan(x)) return x;
  const bool normal = distribution_ == Distribution::kNormal;
  const double margin = normal ? kBoundsThreshold : 0.0;
  // Between equal quantiles the mean of the first and the last reference: once from below, once from above.
  std::vector<double> mirrored_x(quantiles_.rbegin(), quantiles_.rend()),
      mirrored_y(references_.rbegin(), references_.rend());
  for (double& value : mirrored_x) value = -value;
  for (double& value : mirrored_y) value = -value;
  double u = 0.5 * (Interpolate(x, quantiles_, references_) - Interpolate(-x, mirrored_x, mirrored_y));
  if (normal ? x + margin > quantiles_.back() : x == quantiles_.back()) u = 1.0;
  if (normal ? x - margin < quantiles_.front() : x == quantiles_.front()) u = 0.0;
  if (!normal) return u;
  const double end = NormalPpf(1.0 - (kBoundsThreshold - std::nextafter(1.0, 2.0) + 1.0));
  return std::clamp(u <= 0 ? -INFINITY : u >= 1 ? INFINITY : NormalPpf(u), -end, end);
}

double QuantileTransformer::Inverse(double u) const {
  if (std::isnan(u)) return u;
  const bool normal = distribution_ == Distribution::kNormal;
  const double p = normal ? NormalCdf(u) : u;
  if (normal ? p - kBoundsThreshold < 0 : p == 0) return quantiles_.front();
  if (normal ? p + kBoundsThreshold > 1 : p == 1) return quantiles_.back();
  return Interpolate(p, references_, quantiles_);
}

}  // namespace ddsp
