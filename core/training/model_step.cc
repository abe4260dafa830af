#include "core/training/model_step.h"

#include <torch/torch.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/nn/spectral_normalization.h"

namespace ddsp::training {
namespace {

Parameters ToParameters(const NamedTensors& tensors) { return Parameters(tensors.begin(), tensors.end()); }
NamedTensors ToTensors(const Parameters& parameters) { return NamedTensors(parameters.begin(), parameters.end()); }

void CopyInto(const Parameters& views, const Parameters& values) {
  for (const auto& [name, view] : views) view.copy_(values.at(name));
}

}  // namespace

ModelStep::ModelStep(const ModelStepOptions& options, TrainableModel* model)
    : options_(options), model_(*model), store_(ToParameters(CollectParameters(*model))) {
  gradients_ = at::zeros_like(store_.flat());
  rates_ = at::ones_like(store_.flat());
  adam_.first_moment = at::zeros_like(store_.flat());
  adam_.second_moment = at::zeros_like(store_.flat());
  UseParameters(model_, ToTensors(store_.views())).IgnoreError();
}

absl::StatusOr<ModelStepReport> ModelStep::ForwardBackward(const NamedTensors& features, const ModelContext& context) {
  NormalizeWeights(model_);
  RETURN_IF_ERROR(UseParameters(model_, ToTensors(store_.Leaves(gradients_))));
  ASSIGN_OR_RETURN(const ModelOutputs made, model_.Run(features, context));
  const at::Tensor total = made.TotalLoss();
  if (!total.defined()) return absl::FailedPreconditionError("the features have nothing that a loss compares with");
  if (!total.requires_grad()) return absl::FailedPreconditionError("no loss depends on a weight");
  ASSIGN_OR_RETURN(const bool done, CatchTorch([&] {
                     total.backward();
                     return true;
                   }));
  static_cast<void>(done);
  ModelStepReport report;
  report.loss = total.item<double>();
  for (const auto& [name, loss] : made.losses) report.losses[name] = loss.item<double>();
  return report;
}

absl::StatusOr<ModelStepReport> ModelStep::Run(const NamedTensors& features, const ModelContext& context) {
  absl::StatusOr<ModelStepReport> report = ForwardBackward(features, context);
  RETURN_IF_ERROR(UseParameters(model_, ToTensors(store_.views())));
  RETURN_IF_ERROR(report.status());
  report->learning_rate = options_.learning_rate.At(step_);
  report->gradient_norm = ClipNorm(options_.clip_norm, gradients_);
  if (!std::isfinite(report->loss) || !std::isfinite(report->gradient_norm)) {
    return absl::InternalError(absl::StrCat("step ", step_, ": loss ", report->loss, ", gradient norm ",
                                            report->gradient_norm, " are not finite"));
  }
  adam_.Update(step_, report->learning_rate, rates_, gradients_, store_.flat());
  ++step_;
  return report;
}

void ModelStep::Restore(int64_t step, const Parameters& weights, const Parameters& first_moments,
                        const Parameters& second_moments) {
  step_ = step;
  CopyInto(this->weights(), weights);
  CopyInto(this->first_moments(), first_moments);
  CopyInto(this->second_moments(), second_moments);
}

}  // namespace ddsp::training
