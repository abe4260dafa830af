// The pointwise part of a gated recurrent unit, forward and backward, over one time step of a batch.
#pragma once

#include <cstdint>

namespace ddsp::training {

// What the backward pass needs of one step, each [rows, units]. h is the new state.
struct GruStep {
  float* z;
  float* r;
  float* c;
  float* recurrent_h;  // the recurrent part of the candidate, before the reset gate
  float* h;
};

// Keras semantics (reset_after): with a = input gates and b = recurrent gates, [rows, 3 units], order z, r, h,
//   z = sigmoid(a_z + b_z), r = sigmoid(a_r + b_r), c = tanh(a_h + r b_h), h = z h_previous + (1 - z) c.
void GruForward(int64_t rows, int64_t units, const float* a, const float* b, const float* h_previous, const GruStep& step);

// Given dh [rows, units], writes da and db [rows, 3 units] and overwrites dh by its direct part to h_previous (z dh); the
// rest comes back through db and the recurrent kernel.
void GruBackward(int64_t rows, int64_t units, const GruStep& step, const float* h_previous, float* dh, float* da, float* db);

}  // namespace ddsp::training
