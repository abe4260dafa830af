// Normalisation over time, frequency and groups of channels (upstream: training/nn.py). All kinds look at the whole
// signal, so none can stream.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>

#include "core/nn/fully_connected.h"
#include "core/nn/parameters.h"

namespace ddsp {

enum class NormType {
  kNone,
  kLayer,     // one group of all channels
  kInstance,  // a group for each channel
  kGroup,     // 32 groups
};
// "layer", "instance", "group"; "" is kNone. Errors: INVALID_ARGUMENT.
absl::StatusOr<NormType> ParseNormType(const std::string& name);

// x [batch, time, frequency, channels]; epsilon 1e-5. Upstream: normalize_op.
at::Tensor NormalizeOp(const at::Tensor& x, NormType type);

// With a learned scale and shift for each channel; takes 2 to 4 axes. Upstream: Normalize.
class Normalize : public Layer {
 public:
  Normalize(int64_t channels, NormType type);
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  NormType type_;
  Parameter scale_, shift_;
};

enum class Modulation { kScaleAndShift, kShiftOnly };

// Scale and shift predicted from z, broadcast over x. Upstream: ConditionalScaleAndShift (FiLM).
class ConditionalScaleAndShift : public Layer {
 public:
  ConditionalScaleAndShift(int64_t channels, int64_t z_channels, Modulation modulation);
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  int64_t channels_;
  Modulation modulation_;
  Dense dense_;
};

// Normalisation whose scale and shift are learned or, with z, predicted. Upstream: get_norm, ConditionalNorm.
class AnyNorm : public Layer {
 public:
  struct Options {
    int64_t channels = 1;
    int64_t z_channels = 0;  // 0: not conditional
    NormType type = NormType::kLayer;
    Modulation modulation = Modulation::kScaleAndShift;
  };
  explicit AnyNorm(const Options& options);
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z) const;  // z undefined unless conditional
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  NormType type_;
  std::optional<Normalize> plain_;
  std::optional<ConditionalScaleAndShift> conditional_;
};

}  // namespace ddsp
