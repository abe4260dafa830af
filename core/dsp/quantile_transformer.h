// Maps values to their quantiles and back (upstream: training/postprocessing.py, QuantileTransformer, after
// scikit-learn's).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp {

class QuantileTransformer {
 public:
  enum class Distribution { kUniform, kNormal };  // of transformed values

  // Quantiles of `values` (NaN are left out) at n_quantiles evenly spaced references, or as many as there are values if
  // those are fewer. All values count: upstream draws 100,000 of them where there are more. Errors: INVALID_ARGUMENT
  // (no quantiles, no values).
  static absl::StatusOr<QuantileTransformer> Fit(absl::Span<const double> values, int64_t n_quantiles = 1000,
                                                 Distribution distribution = Distribution::kUniform);

  // One that was fitted elsewhere. Errors: INVALID_ARGUMENT (not as many quantiles as references, none, falling).
  static absl::StatusOr<QuantileTransformer> FromQuantiles(std::vector<double> references,
                                                           std::vector<double> quantiles,
                                                           Distribution distribution = Distribution::kUniform);

  const std::vector<double>& references() const { return references_; }  // 0 ... 1
  const std::vector<double>& quantiles() const { return quantiles_; }    // rising

  // A value to its quantile in [0, 1] (kNormal: in standard deviations), and back; beyond the fitted range the ends.
  double Transform(double x) const;
  double Inverse(double u) const;

 private:
  QuantileTransformer() = default;

  Distribution distribution_ = Distribution::kUniform;
  std::vector<double> references_, quantiles_;
};

// Piecewise linear through (xs, ys), xs rising, constant beyond the ends; at equal xs the last one counts. As
// numpy.interp.
double Interpolate(double x, absl::Span<const double> xs, absl::Span<const double> ys);

}  // namespace ddsp
