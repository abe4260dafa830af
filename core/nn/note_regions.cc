#include "core/nn/note_regions.h"

#include "core/dsp/arrays.h"
#include "core/dsp/safe_math.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor WithoutChannel(const Tensor& x) { return x.dim() == 3 ? x.select(2, 0) : x; }

// The mask of regions that start where `starts` [batch, time] is true.
Tensor RegionsFrom(const Tensor& starts, int64_t max_regions, const Tensor& like) {
  const Tensor index = at::cumsum(starts.to(at::kLong), 1) - 1;
  return (index.unsqueeze(2) == at::arange(max_regions, at::kLong)).to(like.scalar_type());
}

}  // namespace

at::Tensor NoteMask(const Tensor& q_pitch, int64_t max_regions, NoteRegions regions) {
  const Tensor pitch = WithoutChannel(q_pitch);
  // Upstream's form: the first frame starts a region, a change between frames t and t + 1 starts one at t + 1, the last
  // frame none.
  Tensor starts = at::zeros(pitch.sizes(), at::kBool);
  starts.select(1, 0).fill_(true);
  const int64_t changes = pitch.size(1) - 2;
  if (changes > 0) starts.narrow(1, 1, changes).copy_((Diff(pitch, 1) != 0).narrow(1, 0, changes));
  const Tensor mask = RegionsFrom(starts, max_regions, pitch);
  if (regions == NoteRegions::kAll) return mask;
  return mask * (MomentsOfNotes(pitch, mask).mean > 0).to(mask.scalar_type()).unsqueeze(1);
}

at::Tensor NoteMaskFromOnset(const Tensor& q_pitch, const Tensor& onset, int64_t max_regions, NoteRegions regions) {
  const Tensor pitch = WithoutChannel(q_pitch);
  Tensor starts = WithoutChannel(onset).to(at::kBool).clone();
  starts.select(1, 0).fill_(true);
  const Tensor mask = RegionsFrom(starts, max_regions, pitch);
  return regions == NoteRegions::kAll ? mask : mask * (pitch > 0).to(mask.scalar_type()).unsqueeze(2);
}

at::Tensor NoteLengths(const Tensor& note_mask) { return note_mask.sum(1); }

NoteMoments MomentsOfNotes(const Tensor& x, const Tensor& note_mask) {
  const Tensor values = (x.dim() == 2 ? x.unsqueeze(2) : x).unsqueeze(2);  // [batch, time, 1, dims]
  const Tensor mask = note_mask.unsqueeze(3);
  const Tensor lengths = mask.sum(1);
  const Tensor mean = SafeDivide((values * mask).sum(1), lengths);
  const Tensor spread = ((values - mean.unsqueeze(1)) * mask).square().sum(1);
  const Tensor std = at::sqrt(SafeDivide(spread, lengths));
  if (x.dim() == 2) return {mean.select(2, 0), std.select(2, 0)};
  return {mean, std};
}

NoteMoments PoolOverNotes(const Tensor& x, const Tensor& note_mask) {
  const NoteMoments notes = MomentsOfNotes(x, note_mask);
  return {at::matmul(note_mask, notes.mean), at::matmul(note_mask, notes.std)};
}

at::Tensor ShortNoteLossMask(const Tensor& note_mask, const Tensor& note_lengths, const Tensor& note_pitches,
                             double min_length) {
  const Tensor is_short = at::logical_and(note_lengths<min_length, note_pitches> 0).to(note_mask.scalar_type());
  return (note_mask * is_short.unsqueeze(1)).sum(-1);
}

}  // namespace ddsp
