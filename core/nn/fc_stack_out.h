#pragma once

#include <string>

#include "core/nn/fully_connected.h"

namespace ddsp {

// A stack of `layers` layers of `ch` channels and a dense layer on it. Upstream: nn.FcStackOut.
class FcStackOut : public Layer {
 public:
  FcStackOut(int64_t in, int64_t ch, int64_t layers, int64_t out)
      : stack_(in, ch, layers), dense_out_(stack_.out_channels(), out) {}

  // [..., in] to [..., out].
  at::Tensor Forward(const at::Tensor& x) const { return dense_out_.Forward(stack_.Forward(x)); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    stack_.VisitParameters(prefix + "stack/", visit);
    dense_out_.VisitParameters(prefix + "dense_out/", visit);
  }

 private:
  FcStack stack_;
  Dense dense_out_;
};

}  // namespace ddsp
