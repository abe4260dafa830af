#include "core/training/model_step.h"

#include <torch/torch.h>

#include <cmath>
#include <vector>

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

// The share of its batch's mean that a part contributes.
double ShareOf(const NamedTensors& features, const BatchPart& part) {
  if (part.whole == 0 || features.empty()) return 1;
  return static_cast<double>(features.begin()->second.size(0)) / static_cast<double>(part.whole);
}

}  // namespace

ModelStep::ModelStep(const ModelStepOptions& options, TrainableModel* model, WorkerGroup* group)
    : options_(options), model_(*model), group_(group), store_(ToParameters(CollectParameters(*model))) {
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
  const double share = ShareOf(features, context.part);
  ASSIGN_OR_RETURN(const bool done, CatchTorch([&] {
                     (share == 1 ? total : total * share).backward();
                     return true;
                   }));
  static_cast<void>(done);
  ModelStepReport report;
  report.loss = share * total.item<double>();
  for (const auto& [name, loss] : made.losses) report.losses[name] = share * loss.item<double>();
  return report;
}

absl::Status ModelStep::AddOthers(ModelStepReport* report) {
  std::vector<double> losses = {report->loss};
  for (const auto& [name, loss] : report->losses) losses.push_back(loss);
  const at::Tensor all = at::tensor(losses, at::kDouble);
  RETURN_IF_ERROR(group_->Sum(gradients_));
  RETURN_IF_ERROR(group_->Sum(all));
  report->loss = all[0].item<double>();
  int64_t at = 0;
  for (auto& [name, loss] : report->losses) loss = all[++at].item<double>();
  return absl::OkStatus();
}

absl::StatusOr<ModelStepReport> ModelStep::Run(const NamedTensors& features, const ModelContext& context) {
  absl::StatusOr<ModelStepReport> report = ForwardBackward(features, context);
  RETURN_IF_ERROR(UseParameters(model_, ToTensors(store_.views())));
  if (group_ != nullptr) {
    // Who waits for a sum that nobody gives would wait for the timeout.
    ASSIGN_OR_RETURN(const bool failed, AnyWorker(*group_, !report.ok()));
    if (failed && report.ok()) return absl::FailedPreconditionError("another worker could not make its part of the step");
  }
  RETURN_IF_ERROR(report.status());
  if (group_ != nullptr) RETURN_IF_ERROR(AddOthers(&*report));
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

absl::Status ModelStep::CopyFromFirst() {
  const at::Tensor step = at::full({1}, step_, at::kLong);
  for (const at::Tensor& values : {step, store_.flat(), adam_.first_moment, adam_.second_moment}) {
    RETURN_IF_ERROR(group_->CopyFromFirst(values));
  }
  step_ = step.item<int64_t>();
  return absl::OkStatus();
}

}  // namespace ddsp::training
