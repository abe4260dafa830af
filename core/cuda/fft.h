// The Fourier transform of a block's threads: Stockham's, which needs no reordering, in scratch.
#pragma once

#include <utility>

#include "core/cuda/complex.h"

namespace ddsp::cuda {

struct Fft {
  static constexpr int kMaxFactors = 20;

  int size = 0;                   // of factors 2, 3, 4 and 5
  int factors[kMaxFactors] = {};  // their product is `size`
  int factor_count = 0;
  const Complex* roots = nullptr;  // [2 size]: exp(-i pi k / size)

  // Transforms `from`; returns that of the two arrays [size] which holds the result. Both are overwritten.
  template <class Team>
  DDSP_DEVICE Complex* Forward(Team& team, Complex* from, Complex* to) const {
    int done = 1;  // length of the transforms that `from` holds
    for (int f = 0; f < factor_count; ++f) {
      const int radix = factors[f], length = done;
      const Complex* x = from;
      Complex* y = to;
      team.ForEach(size / radix, [&](int j) {
        if (radix == 4) Butterfly<4>(x, y, j, length);
        if (radix == 5) Butterfly<5>(x, y, j, length);
        if (radix == 3) Butterfly<3>(x, y, j, length);
        if (radix == 2) Butterfly<2>(x, y, j, length);
      });
      done *= radix;
      Complex* other = from;
      from = to;
      to = other;
    }
    return from;
  }

 private:
  // kRadix transforms of `length` become one.
  template <int kRadix>
  DDSP_DEVICE void Butterfly(const Complex* x, Complex* y, int j, int length) const {
    const int k = j % length, step = 2 * (size / (length * kRadix));
    Complex v[kRadix];
    for (int t = 0; t < kRadix; ++t) v[t] = roots[k * t * step] * x[j + t * (size / kRadix)];
    Transform(v);
    Complex* out = y + (j - k) * kRadix + k;
    for (int u = 0; u < kRadix; ++u) out[u * length] = v[u];
  }

  DDSP_DEVICE static void Transform(Complex (&v)[2]) {
    const Complex difference = v[0] - v[1];
    v[0] = v[0] + v[1];
    v[1] = difference;
  }

  DDSP_DEVICE static void Transform(Complex (&v)[3]) {
    constexpr float kSine = 0.866025404f;  // of 2 pi / 3
    const Complex sum = v[1] + v[2], side = kSine * TimesI(v[1] - v[2]);
    const Complex middle = v[0] - 0.5f * sum;
    v[0] = v[0] + sum;
    v[1] = middle - side;
    v[2] = middle + side;
  }

  DDSP_DEVICE static void Transform(Complex (&v)[4]) {
    const Complex even = v[0] + v[2], even_difference = v[0] - v[2];
    const Complex odd = v[1] + v[3], odd_difference = TimesI(v[1] - v[3]);
    v[0] = even + odd;
    v[1] = even_difference - odd_difference;
    v[2] = even - odd;
    v[3] = even_difference + odd_difference;
  }

  DDSP_DEVICE static void Transform(Complex (&v)[5]) {
    constexpr float kCosine1 = 0.309016994f, kCosine2 = -0.809016994f;  // of 2 pi / 5, 4 pi / 5
    constexpr float kSine1 = 0.951056516f, kSine2 = 0.587785252f;
    const Complex sum1 = v[1] + v[4], difference1 = TimesI(v[1] - v[4]);
    const Complex sum2 = v[2] + v[3], difference2 = TimesI(v[2] - v[3]);
    const Complex middle1 = v[0] + kCosine1 * sum1 + kCosine2 * sum2,
                  side1 = kSine1 * difference1 + kSine2 * difference2;
    const Complex middle2 = v[0] + kCosine2 * sum1 + kCosine1 * sum2,
                  side2 = kSine2 * difference1 - kSine1 * difference2;
    v[0] = v[0] + sum1 + sum2;
    v[1] = middle1 - side1;
    v[2] = middle2 - side2;
    v[3] = middle2 + side2;
    v[4] = middle1 + side1;
  }
};

}  // namespace ddsp::cuda
