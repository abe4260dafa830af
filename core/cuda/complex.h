#pragma once

#include "core/cuda/device_code.h"

namespace ddsp::cuda {

struct alignas(8) Complex {
  float re, im;
};

DDSP_DEVICE Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
DDSP_DEVICE Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
DDSP_DEVICE Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
DDSP_DEVICE Complex operator*(float a, Complex b) { return {a * b.re, a * b.im}; }
DDSP_DEVICE Complex Conj(Complex a) { return {a.re, -a.im}; }
DDSP_DEVICE Complex TimesI(Complex a) { return {-a.im, a.re}; }

}  // namespace ddsp::cuda
