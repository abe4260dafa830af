#include "core/training/train_step.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::training {

TrainStep::TrainStep(const StepOptions& options, const Parameters& initial, WorkerGroup* group)
    : options_(options),
      group_(group),
      store_(initial),
      pool_(std::make_unique<WorkerPool>(std::max(1, options.shards))) {
  adam_.first_moment = at::zeros_like(store_.flat());
  adam_.second_moment = at::zeros_like(store_.flat());
  rates_ = at::ones_like(store_.flat());
  store_.ViewsOf(rates_).at(ReverbParameter(options.shape.recipe)).fill_(options.reverb_rate);
  for (int shard = 0; shard < pool_->workers(); ++shard) gradients_.push_back(at::zeros_like(store_.flat()));
}

absl::StatusOr<StepReport> TrainStep::Run(const TrainingBatch& batch, const VoiceNoise& noise) {
  const int64_t items = batch.audio.size(0), whole = batch.whole > 0 ? batch.whole : items;
  std::vector<double> losses(pool_->workers(), 0.0);
  pool_->Run([&](int shard) {
    const int64_t begin = items * shard / pool_->workers(), end = items * (shard + 1) / pool_->workers();
    const Parameters leaves = store_.Leaves(gradients_[shard]);
    if (begin == end) return;
    const VoiceControls controls{batch.controls.level_db.slice(0, begin, end),
                                 batch.controls.f0_hz.slice(0, begin, end)};
    const at::Tensor response = ReverbImpulseResponse(options_.shape, leaves, noise.reverb);
    const at::Tensor audio = Synthesize(options_.shape, leaves, controls, noise.audio.slice(0, begin, end), response);
    // Each shard contributes its share of the mean over the batch.
    const at::Tensor loss = SpectralLoss(options_.objective)(batch.audio.slice(0, begin, end), audio) *
                            (static_cast<double>(end - begin) / static_cast<double>(whole));
    loss.backward();
    losses[shard] = loss.item<double>();
  });
  // Each thread its part of all weights. Work outside the pool would wake the library's own threads, which go on
  // spinning while others have work.
  const auto for_parts = [&](const std::function<void(int64_t begin, int64_t end)>& task) {
    const int64_t lines = store_.flat().numel() / 16;
    pool_->Run([&](int shard) {
      const at::NoGradGuard no_gradients;
      task(16 * (lines * shard / pool_->workers()), 16 * (lines * (shard + 1) / pool_->workers()));
    });
  };
  for_parts([&](int64_t begin, int64_t end) {
    for (int shard = 1; shard < pool_->workers(); ++shard) {
      gradients_[0].slice(0, begin, end).add_(gradients_[shard].slice(0, begin, end));
    }
  });

  StepReport report;
  for (const double loss : losses) report.loss += loss;
  if (group_ != nullptr) {
    const at::Tensor loss = at::full({1}, report.loss, at::kDouble);
    RETURN_IF_ERROR(group_->Sum(gradients_[0]));
    RETURN_IF_ERROR(group_->Sum(loss));
    report.loss = loss.item<double>();
  }
  report.learning_rate = options_.learning_rate.At(step_);
  pool_->Run([&](int shard) {
    if (shard == 0) report.gradient_norm = ClipNorm(options_.clip_norm, gradients_[0]);
  });
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm)) {
    return absl::InternalError(absl::StrCat("step ", step_, ": loss ", report.loss, ", gradient norm ",
                                            report.gradient_norm, " are not finite"));
  }
  for_parts([&](int64_t begin, int64_t end) {
    adam_.UpdateRange(begin, end, step_, report.learning_rate, rates_, gradients_[0], store_.flat());
  });
  ++step_;
  return report;
}

void TrainStep::Restore(int64_t step, const Parameters& weights, const Parameters& first_moments,
                        const Parameters& second_moments) {
  step_ = step;
  for (const auto& [name, view] : this->weights()) view.copy_(weights.at(name));
  for (const auto& [name, view] : this->first_moments()) view.copy_(first_moments.at(name));
  for (const auto& [name, view] : this->second_moments()) view.copy_(second_moments.at(name));
}

absl::Status TrainStep::CopyFromFirst() {
  const at::Tensor step = at::full({1}, step_, at::kLong);
  for (const at::Tensor& values : {step, store_.flat(), adam_.first_moment, adam_.second_moment}) {
    RETURN_IF_ERROR(group_->CopyFromFirst(values));
  }
  step_ = step.item<int64_t>();
  return absl::OkStatus();
}

}  // namespace ddsp::training
