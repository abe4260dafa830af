// Time-varying filter of white noise: one zero-phase FIR per frame, given as magnitudes, overlap-added.
#pragma once

#include <vector>

namespace ddsp::kernels {

// The filter of one row; immutable, state outside.
//
// Frame t's magnitudes [bands] become taps = 2 (bands - 1) filter taps (inverse real FFT, periodic Hann over the full
// length, centred at taps / 2), which convolve exactly the noise of hop t. The sum over frames, delayed back by delay()
// samples, is upstream's frequency_filter(noise, magnitudes, window_size=0): its start is cut by (taps - 1) / 2 - 1,
// which leaves the filtered noise 2 samples late.
//
// Against a convolution in double: error at most 1e-6 times bands times max |magnitude| times max |noise|.
class NoiseFilter {
 public:
  // `bands` >= 3; hop >= delay(), samples.
  NoiseFilter(int bands, int hop);

  int bands() const { return bands_; }
  int hop() const { return hop_; }
  int taps() const { return 2 * (bands_ - 1); }
  int delay() const { return (taps() - 1) / 2 - 1; }

  // Floats of state per row (hop + taps - 1 - delay; 385 for 65 bands at hop 320), all zero at the start of a stream.
  int state_size() const { return hop_ + taps() - 1 - delay(); }
  // Floats of scratch for one call of Step(); contents do not matter.
  int scratch_size() const;

  // Step of frame t: filters noise [hop], the samples [t hop, (t + 1) hop), with magnitudes [bands], linear, and writes
  // the finished output samples of the hop before, [(t - 1) hop, t hop), to out [hop]. What comes out at t = 0 precedes
  // the signal; after the last frame one more step, of zero magnitudes, gives its hop.
  void Step(const float* magnitudes, const float* noise, float* state, float* out, float* scratch) const;

  // The filter of one frame; impulse_response has room for taps() rounded up to kPadding, the rest is zeroed.
  static constexpr int kPadding = 16;
  void ImpulseResponse(const float* magnitudes, float* impulse_response) const;

 private:
  int bands_, hop_;
  std::vector<float> matrix_;  // [bands, taps rounded up to kPadding]
};

}  // namespace ddsp::kernels
