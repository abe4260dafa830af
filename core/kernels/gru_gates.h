// The pointwise part of a gated recurrent unit, forward and backward, over one time step of a batch.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

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
void GruForward(int64_t rows, int64_t units, const float* a, const float* b, const float* h_previous,
                const GruStep& step);

// The gradient of h is dh + d_output + d_recurrent, each [rows, units]. Writes da and db [rows, 3 units], and to dh the
// direct part of h_previous' gradient (z times that of h); the rest comes back through db and the recurrent kernel.
void GruBackward(int64_t rows, int64_t units, const GruStep& step, const float* h_previous, const float* d_output,
                 const float* d_recurrent, float* dh, float* da, float* db);

}  // namespace ddsp::kernels
