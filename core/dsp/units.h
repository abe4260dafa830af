// Conversions between units of level and of pitch (upstream: core.py, unit conversions). All elementwise.
#pragma once

#include <ATen/ATen.h>

#include "core/base/pitch.h"

namespace ddsp {

inline constexpr double kDbRange = 80.0;  // dB below the reference that levels are floored at

enum class Range { kOpen, kClipped };  // whether results are clipped to the ends of the unit interval

// Level in dB re `ref_db`, floored at -range_db. Upstream: amplitude_to_db, power_to_db.
at::Tensor AmplitudeToDb(const at::Tensor& amplitude, double ref_db = 0.0, double range_db = kDbRange);
at::Tensor PowerToDb(const at::Tensor& power, double ref_db = 0.0, double range_db = kDbRange);
// The inverses, linear amplitude or power re 1. Upstream: db_to_amplitude, db_to_power.
at::Tensor DbToAmplitude(const at::Tensor& db);
at::Tensor DbToPower(const at::Tensor& db);

// MIDI note numbers (69 = 440 Hz). With `kIsSilence` note 0 is 0 Hz instead of 8.18 Hz. Upstream: midi_to_hz.
enum class MidiZero { kIsPitch, kIsSilence };
at::Tensor MidiToHz(const at::Tensor& notes, MidiZero zero = MidiZero::kIsPitch);
// Frequencies <= 0 map to note 0, as in the scalar form of core/base/pitch.h. Upstream: hz_to_midi.
at::Tensor HzToMidi(const at::Tensor& hz);

// [0, 1] to MIDI notes [midi_min, midi_max], linearly, and back. Upstream: unit_to_midi, midi_to_unit.
at::Tensor UnitToMidi(const at::Tensor& unit, double midi_min = 20.0, double midi_max = 90.0,
                      Range range = Range::kOpen);
at::Tensor MidiToUnit(const at::Tensor& midi, double midi_min = 20.0, double midi_max = 90.0,
                      Range range = Range::kOpen);
// [0, 1] to [hz_min, hz_max] on a logarithmic scale and back; hz_min = 0 acts as 8.18 Hz. Upstream: unit_to_hz,
// hz_to_unit.
at::Tensor UnitToHz(const at::Tensor& unit, double hz_min, double hz_max, Range range = Range::kOpen);
at::Tensor HzToUnit(const at::Tensor& hz, double hz_min, double hz_max, Range range = Range::kOpen);

// Hz to auditory scales and back; HzToErb gives a bandwidth in Hz. Upstream: hz_to_bark (Traunmueller 1990), hz_to_mel
// (HTK), their inverses, hz_to_erb (Moore & Glasberg 1996).
at::Tensor HzToBark(const at::Tensor& hz);
at::Tensor BarkToHz(const at::Tensor& bark);
at::Tensor HzToMel(const at::Tensor& hz);
at::Tensor MelToHz(const at::Tensor& mel);
at::Tensor HzToErb(const at::Tensor& hz);

}  // namespace ddsp
