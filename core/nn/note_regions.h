// Notes of monophonic pitch contours as masks, and averages over them (upstream: training/nn.py). Masks are [batch,
// time, regions].
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

enum class NoteRegions { kNotesOnly, kAll };  // upstream: note_on_only = true, false

// Each change of q_pitch [batch, time(, 1)] starts a region; kNotesOnly clears those whose pitch is 0. Upstream:
// get_note_mask.
at::Tensor NoteMask(const at::Tensor& q_pitch, int64_t max_regions = 100,
                    NoteRegions regions = NoteRegions::kNotesOnly);
// Each onset starts a region; kNotesOnly clears frames whose pitch is 0. Upstream: get_note_mask_from_onset.
at::Tensor NoteMaskFromOnset(const at::Tensor& q_pitch, const at::Tensor& onset, int64_t max_regions = 100,
                             NoteRegions regions = NoteRegions::kNotesOnly);

// Frames of every region [batch, regions]. Upstream: get_note_lengths.
at::Tensor NoteLengths(const at::Tensor& note_mask);

struct NoteMoments {
  at::Tensor mean, std;
};
// x [batch, time(, dims)] over every region: [batch, regions(, dims)]. Upstream: get_note_moments.
NoteMoments MomentsOfNotes(const at::Tensor& x, const at::Tensor& note_mask);
// The same spread over the frames of each region: [batch, time, dims]. Upstream: pool_over_notes.
NoteMoments PoolOverNotes(const at::Tensor& x, const at::Tensor& note_mask);

// 1 in frames of notes shorter than min_length frames, [batch, time]. Upstream: get_short_note_loss_mask.
at::Tensor ShortNoteLossMask(const at::Tensor& note_mask, const at::Tensor& note_lengths,
                             const at::Tensor& note_pitches, double min_length = 40);

}  // namespace ddsp
