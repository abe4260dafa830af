#include "core/processors/reverb_line.h"

#include <algorithm>

namespace ddsp {

using at::Tensor;

ReverbLine::ReverbLine(const Tensor& response, int64_t batch) : rows_(batch) {
  const int64_t responses = response.size(0), taps = response.size(1), early = std::min<int64_t>(taps, kBlock);
  early_ = at::zeros({responses, kBlock});
  early_.narrow(1, 0, early).copy_(response.narrow(1, 0, early));
  if (taps <= kBlock) return;
  const Tensor later = response.narrow(1, kBlock, taps - kBlock).contiguous();
  for (int64_t r = 0; r < responses; ++r) {
    late_.emplace_back(absl::MakeConstSpan(later.const_data_ptr<float>() + r * later.size(1), later.size(1)), kBlock,
                       kernels::ConvolverOutput::kWet);
  }
  for (int64_t r = 0; r < batch; ++r) {
    rows_[r].late = &late_[responses == 1 ? 0 : r];
    rows_[r].state.resize(rows_[r].late->state_size());
  }
  scratch_.resize(late_.front().scratch_size());
}

at::Tensor ReverbLine::Convolve(const Tensor& samples) {
  const Tensor x = samples.contiguous();
  Tensor y = at::empty_like(x);
  const int64_t count = x.size(1);
  const float* early = early_.const_data_ptr<float>();
  int at = at_;
  for (size_t r = 0; r < rows_.size(); ++r) {
    at = ConvolveRow(x.const_data_ptr<float>() + r * count, count, early + (early_.size(0) == 1 ? 0 : r * kBlock), at_,
                     rows_[r], y.data_ptr<float>() + r * count);
  }
  at_ = at;
  return y;
}

int ReverbLine::ConvolveRow(const float* in, int64_t count, const float* early, int at, Row& row, float* out) {
  for (int64_t n = 0; n < count; ++n) {
    float* ringing = row.ringing.data() + at;
    for (int i = 0; i < kBlock; ++i) ringing[i] += in[n] * early[i];
    out[n] = ringing[0] + row.due[at];
    row.block[at] = in[n];
    if (++at < kBlock) continue;
    FinishBlock(row);
    at = 0;
  }
  return at;
}

void ReverbLine::FinishBlock(Row& row) {
  const auto next = row.ringing.begin() + kBlock;
  std::copy(next, row.ringing.end(), row.ringing.begin());
  std::fill(next, row.ringing.end(), 0.0f);
  if (row.late != nullptr) row.late->Step(row.block.data(), row.state.data(), row.due.data(), scratch_.data());
}

}  // namespace ddsp
