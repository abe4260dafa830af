// The most likely path through a hidden Markov model.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// observations [batch, time, states] and transitions [from, to] are log probabilities; all states are equally likely at
// first. Returns state indices [batch, time] (int64).
at::Tensor ViterbiPath(const at::Tensor& observations, const at::Tensor& transitions);

}  // namespace ddsp
