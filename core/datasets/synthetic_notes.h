// Made-up notes whose every control is known: the supervision of the self-supervised pitch model (upstream:
// training/data_preparation/synthetic_data.py). Same distributions as upstream's, other random numbers.
#pragma once

#include "core/dsp/named_tensors.h"

namespace ddsp {

struct NotesSettings {
  int64_t n_timesteps = 125;     // frames of an example
  int64_t n_harmonics = 100;     // also the number of sinusoids
  int64_t n_mags = 65;           // bands of the noise filter
  int64_t min_note_length = 5;   // frames
  int64_t max_note_length = 25;  // frames, >= min_note_length
  double p_silent = 0.1;         // of a note being a rest: noise alone
  double p_vibrato = 0.5;        // of a note that is none having one
  double sample_rate = 16000;    // Hz; harmonics above half of it are silent
};

// Both return, for `batch` examples, drawn independently:
//   f0_hz             [batch, n_timesteps, 1]            Hz
//   harm_amp          [batch, n_timesteps, 1]            linear
//   harm_dist         [batch, n_timesteps, n_harmonics]  sums to 1, zero above Nyquist
//   sin_amps          [batch, n_timesteps, n_harmonics]  linear; the same as sinusoids
//   sin_freqs         [batch, n_timesteps, n_harmonics]  Hz
//   noise_magnitudes  [batch, n_timesteps, n_mags]       linear
// Throws ValueError for settings that make no sense: sizes < 1, probabilities outside of [0, 1].

// 1 to 20 notes of equal length of MIDI pitch 24 to 84; levels, spectra and noise are held or glide from note to note.
// Uses neither note lengths nor probabilities. Upstream: generate_notes.
NamedTensors GenerateNotes(const NotesSettings& settings, int64_t batch, at::Generator generator);

// Notes of different lengths: level (-1 to 3 before exp_sigmoid) and spectrum glide along a random curve within each,
// MIDI pitch 24 to 84 with a vibrato of up to a semitone; a rest has amplitude exp_sigmoid(-10) and pitch 0 (8.2 Hz);
// four spectra of five fall towards high harmonics; a little noise is on everything. Upstream: generate_notes_v2, which
// divides all levels of a call by the same number, here every example has its own.
NamedTensors GenerateNotesV2(const NotesSettings& settings, int64_t batch, at::Generator generator);

// What such controls sound like: harmonics and filtered noise [batch, n_samples]. Upstream's data sets do without: its
// model makes the audio, at training. Throws ValueError unless n_samples is a multiple of the frames.
at::Tensor SynthesizeNotes(const NamedTensors& controls, int64_t n_samples, double sample_rate,
                           at::Generator generator);

}  // namespace ddsp
