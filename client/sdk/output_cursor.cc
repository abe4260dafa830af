#include "client/sdk/output_cursor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ddsp::client {
namespace {

absl::Status Gap(const char* what, int64_t expected, int64_t came) {
  return absl::DataLossError(absl::StrCat("output ", what, " ", expected, " was expected, ", came, " came"));
}

// Takes from `items`, whose first one has the number `*start`, those before `*next`; then moves `*next` behind them
// all. Returns how many were taken.
template <typename Item>
int64_t TakeRepeated(std::vector<Item>* items, int64_t* start, int64_t* next) {
  const int64_t repeated = std::clamp<int64_t>(*next - *start, 0, items->size());
  items->erase(items->begin(), items->begin() + repeated);
  *start += repeated;
  *next = std::max(*next, *start + static_cast<int64_t>(items->size()));
  return repeated;
}

}  // namespace

absl::Status OutputCursor::Take(AudioBlock* block) {
  if (block->samples.empty()) return absl::OkStatus();
  if (block->start_sample > samples_) return Gap("sample", samples_, block->start_sample);
  repeated_ += TakeRepeated(&block->samples, &block->start_sample, &samples_);
  return absl::OkStatus();
}

absl::Status OutputCursor::Take(FeatureBlock* block) {
  if (block->frames.empty()) return absl::OkStatus();
  if (block->first_frame > frames_) return Gap("frame", frames_, block->first_frame);
  TakeRepeated(&block->frames, &block->first_frame, &frames_);
  return absl::OkStatus();
}

}  // namespace ddsp::client
