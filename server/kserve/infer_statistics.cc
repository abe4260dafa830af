#include "server/kserve/infer_statistics.h"

#include "absl/strings/str_cat.h"

namespace ddsp::server::kserve {

void InferStatistics::Sum::Fill(inference::StatisticDuration* wire) const {
  wire->set_count(count);
  wire->set_ns(absl::ToInt64Nanoseconds(time));
}

void InferStatistics::Succeeded(const std::string& model, int64_t version, const InferTimes& times,
                                absl::Time time_of_day) {
  const MutexLock lock(&mu_);
  Sums& sums = sums_[{model, version}];
  sums.success.Add(times.total());
  sums.input.Add(times.input);
  sums.queue.Add(times.queue);
  sums.infer.Add(times.infer);
  sums.output.Add(times.output);
  sums.last = time_of_day;
}

void InferStatistics::Failed(const std::string& model, int64_t version, absl::Duration after) {
  const MutexLock lock(&mu_);
  sums_[{model, version}].fail.Add(after);
}

inference::ModelStatistics InferStatistics::Of(const std::string& model, int64_t version) const {
  Sums sums;
  {
    const MutexLock lock(&mu_);
    if (const auto found = sums_.find({model, version}); found != sums_.end()) sums = found->second;
  }
  inference::ModelStatistics wire;
  wire.set_name(model);
  wire.set_version(absl::StrCat(version));
  wire.set_last_inference(absl::ToUnixMillis(sums.last));
  // Requests share the device's steps with all other streams: of this model's own executions there is one for each.
  wire.set_inference_count(sums.success.count);
  wire.set_execution_count(sums.success.count);
  inference::InferStatistics* all = wire.mutable_inference_stats();
  sums.success.Fill(all->mutable_success());
  sums.fail.Fill(all->mutable_fail());
  sums.queue.Fill(all->mutable_queue());
  sums.input.Fill(all->mutable_compute_input());
  sums.infer.Fill(all->mutable_compute_infer());
  sums.output.Fill(all->mutable_compute_output());
  all->mutable_cache_hit();
  all->mutable_cache_miss();
  if (sums.success.count == 0) return wire;
  inference::InferBatchStatistics* batch = wire.add_batch_stats();
  batch->set_batch_size(1);
  sums.input.Fill(batch->mutable_compute_input());
  sums.infer.Fill(batch->mutable_compute_infer());
  sums.output.Fill(batch->mutable_compute_output());
  return wire;
}

}  // namespace ddsp::server::kserve
