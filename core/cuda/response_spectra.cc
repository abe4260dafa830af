#include "core/cuda/response_spectra.h"

#include <cmath>
#include <complex>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace ddsp::cuda {
namespace {

std::vector<std::complex<double>> Roots(int size) {
  std::vector<std::complex<double>> roots;
  for (int k = 0; k < 2 * size; ++k) roots.push_back(std::polar(1.0, -std::numbers::pi * k / size));
  return roots;
}

}  // namespace

absl::StatusOr<Fft> PlanFft(int size) {
  Fft plan;
  plan.size = size;
  for (const int factor : {4, 5, 3, 2}) {
    while (size > 0 && size % factor == 0) {
      plan.factors[plan.factor_count++] = factor;
      size /= factor;
    }
  }
  if (size != 1) {
    return absl::InvalidArgumentError(absl::StrCat("a hop of ", plan.size, " samples has a prime factor above 5"));
  }
  return plan;
}

std::vector<float> FftRoots(int size) {
  std::vector<float> pairs;
  for (const std::complex<double> root : Roots(size)) {
    pairs.push_back(static_cast<float>(root.real()));
    pairs.push_back(static_cast<float>(root.imag()));
  }
  return pairs;
}

std::vector<float> ResponseSpectra(absl::Span<const float> taps, int hop) {
  const std::vector<std::complex<double>> roots = Roots(hop);
  std::vector<float> spectra;
  for (size_t begin = 0; begin < taps.size(); begin += hop) {
    const absl::Span<const float> part = taps.subspan(begin, hop);
    for (int k = 0; k <= hop; ++k) {
      std::complex<double> bin = 0;
      for (size_t n = 0; n < part.size(); ++n) bin += static_cast<double>(part[n]) * roots[k * n % (2 * hop)];
      spectra.push_back(static_cast<float>(bin.real()));
      spectra.push_back(static_cast<float>(bin.imag()));
    }
  }
  return spectra;
}

}  // namespace ddsp::cuda
