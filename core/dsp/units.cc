#include "core/dsp/units.h"

#include <cmath>

#include "core/dsp/safe_math.h"

namespace ddsp {

at::Tensor AmplitudeToDb(const at::Tensor& amplitude, double ref_db, double range_db) {
  return PowerToDb(amplitude * amplitude, ref_db, range_db);
}

at::Tensor PowerToDb(const at::Tensor& power, double ref_db, double range_db) {
  const at::Tensor floor = at::scalar_tensor(std::pow(10.0, -range_db / 10.0), power.options());
  // Exactly at a floor the gradient is that of upstream's tf.maximum: zero for the power, one for the level.
  const at::Tensor db = 10 * Log10(at::where(power > floor, power, floor)) - ref_db;
  return at::clamp_min(db, -range_db);
}

at::Tensor DbToAmplitude(const at::Tensor& db) { return DbToPower(db / 2); }

at::Tensor DbToPower(const at::Tensor& db) { return at::pow(10.0, db / 10); }

at::Tensor MidiToHz(const at::Tensor& notes, MidiZero zero) {
  const at::Tensor hz = 440 * at::pow(2.0, (notes - 69) / 12);
  return zero == MidiZero::kIsPitch ? hz : at::where(notes == 0, at::zeros_like(hz), hz);
}

at::Tensor HzToMidi(const at::Tensor& hz) {
  const at::Tensor notes = 12 * (Logb(hz, 2.0) - std::log2(440.0)) + 69;
  return at::where(hz <= 0, at::zeros_like(notes), notes);
}

at::Tensor UnitToMidi(const at::Tensor& unit, double midi_min, double midi_max, Range range) {
  return midi_min + (midi_max - midi_min) * (range == Range::kClipped ? unit.clamp(0, 1) : unit);
}

at::Tensor MidiToUnit(const at::Tensor& midi, double midi_min, double midi_max, Range range) {
  const at::Tensor unit = (midi - midi_min) / (midi_max - midi_min);
  return range == Range::kClipped ? unit.clamp(0, 1) : unit;
}

at::Tensor UnitToHz(const at::Tensor& unit, double hz_min, double hz_max, Range range) {
  return MidiToHz(UnitToMidi(unit, HzToMidi(hz_min), HzToMidi(hz_max), range));
}

at::Tensor HzToUnit(const at::Tensor& hz, double hz_min, double hz_max, Range range) {
  return MidiToUnit(HzToMidi(hz), HzToMidi(hz_min), HzToMidi(hz_max), range);
}

at::Tensor HzToBark(const at::Tensor& hz) { return 26.81 / (1 + 1960 / hz) - 0.53; }

at::Tensor BarkToHz(const at::Tensor& bark) { return 1960 / (26.81 / (bark + 0.53) - 1); }

at::Tensor HzToMel(const at::Tensor& hz) { return 2595 * Logb(1 + hz / 700, 10.0); }

at::Tensor MelToHz(const at::Tensor& mel) { return 700 * (at::pow(10.0, mel / 2595) - 1); }

at::Tensor HzToErb(const at::Tensor& hz) { return 0.108 * hz + 24.7; }

}  // namespace ddsp
