// Converts the sample rate of a live stream: linear phase, no delay in its output, a fixed look-ahead instead.
//
// A polyphase windowed sinc. Output sample j lies at time j / output_rate of the input's clock and is given as soon as
// input up to `lookahead` samples past that time is there; before the first sample there is silence. soxr would be
// better at the band edge, but holds back 37-115 ms.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "core/base/state_bytes.h"

namespace ddsp {

class LiveResampler {
 public:
  // Rates in Hz, > 0. Equal rates pass samples through, with no look-ahead.
  LiveResampler(int input_rate, int output_rate);

  // Input samples after an output sample's time that it depends on; at most 3 ms.
  int lookahead() const { return half_width_; }
  int input_rate() const { return input_rate_; }
  int output_rate() const { return output_rate_; }

  // Appends to `out` every output sample that `in` completes. Any cutting of the input gives the same samples.
  void Process(absl::Span<const float> in, std::vector<float>* out);

  // Makes it what it was when one of the same rates was saved. What cannot be read fails the reader.
  void Save(StateWriter& writer) const;
  void Restore(StateReader& reader);

 private:
  struct Filter;  // coefficients, shared by all streams of the same rates
  static std::shared_ptr<const Filter> SharedFilter(int input_rate, int output_rate);

  int input_rate_, output_rate_;
  int half_width_ = 0;
  std::shared_ptr<const Filter> filter_;
  std::vector<float> history_;  // input from sample `history_begin_` on
  int64_t history_begin_ = 0;
  int64_t produced_ = 0;  // output samples
};

}  // namespace ddsp
