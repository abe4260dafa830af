#include "core/streaming/live_resampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/mutex.h"

namespace ddsp {
namespace {

constexpr double kMaxHalfWidthSeconds = 0.003;
// Kaiser window with 70 dB of stop band; over 6 ms the transition takes 0.75 kHz, of which the cutoff leaves half to
// each side.
constexpr double kKaiserBeta = 6.8;
constexpr double kTransitionHz = 750;
constexpr int kMaxExactPhases = 1024;
// Of a state: more is nonsense.
constexpr int64_t kMostSamples = int64_t{1} << 44;
constexpr size_t kMostHistory = size_t{1} << 20;

double BesselI0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-12 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double Sinc(double x) { return x == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x); }

// Eight partial sums let the compiler vectorise without reordering anything at run time.
float Dot(const float* a, const float* b, int size) {
  float sums[8] = {};
  int i = 0;
  for (; i + 8 <= size; i += 8) {
    for (int j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < size; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace

// Row p holds the taps for a position p / phases past an input sample; tap i weighs input sample i - half_width + 1
// from there.
struct LiveResampler::Filter {
  int step = 1;  // input_rate / gcd: the position advances by step / exact_phases each output sample
  int exact_phases = 1;
  int phases = 1;  // rows - 1; fewer than exact_phases for awkward ratios, and rows are interpolated
  int taps = 0;
  std::vector<float> rows;

  Filter(int input_rate, int output_rate, int half_width) : taps(2 * half_width) {
    const int common = std::gcd(input_rate, output_rate);
    step = input_rate / common;
    exact_phases = output_rate / common;
    phases = std::min(exact_phases, kMaxExactPhases);
    rows.resize((phases + 1) * taps);
    // In cycles per input sample; the image or alias of the band edge falls into the transition band.
    const double nyquist = 0.5 * std::min(1.0, static_cast<double>(output_rate) / input_rate);
    const double cutoff = nyquist - 0.5 * kTransitionHz / input_rate;
    for (int p = 0; p <= phases; ++p) {
      double sum = 0;
      std::vector<double> row(taps);
      for (int i = 0; i < taps; ++i) {
        const double t = static_cast<double>(p) / phases - (i - half_width + 1);
        const double r = t / half_width;
        const double window =
            std::fabs(r) < 1 ? BesselI0(kKaiserBeta * std::sqrt(1 - r * r)) / BesselI0(kKaiserBeta) : 0;
        row[i] = Sinc(2 * cutoff * t) * window;
        sum += row[i];
      }
      // Unit gain at 0 Hz for every phase, else a constant would come out with a ripple.
      for (int i = 0; i < taps; ++i) rows[p * taps + i] = static_cast<float>(row[i] / sum);
    }
  }

  float At(int64_t numerator, const float* input) const {
    const int64_t scaled = numerator * phases;
    const int row = static_cast<int>(scaled / exact_phases);
    const float low = Dot(&rows[row * taps], input, taps);
    const int64_t rest = scaled % exact_phases;
    if (rest == 0) return low;
    const float weight = static_cast<float>(rest) / exact_phases;
    return low + weight * (Dot(&rows[(row + 1) * taps], input, taps) - low);
  }
};

std::shared_ptr<const LiveResampler::Filter> LiveResampler::SharedFilter(int input_rate, int output_rate) {
  static Mutex mu;
  static auto& filters = *new std::map<std::pair<int, int>, std::weak_ptr<const Filter>>();
  MutexLock lock(&mu);
  std::weak_ptr<const Filter>& known = filters[{input_rate, output_rate}];
  std::shared_ptr<const Filter> filter = known.lock();
  if (filter == nullptr) {
    filter =
        std::make_shared<const Filter>(input_rate, output_rate, static_cast<int>(kMaxHalfWidthSeconds * input_rate));
    known = filter;
  }
  return filter;
}

LiveResampler::LiveResampler(int input_rate, int output_rate) : input_rate_(input_rate), output_rate_(output_rate) {
  if (input_rate == output_rate) return;
  half_width_ = static_cast<int>(kMaxHalfWidthSeconds * input_rate);
  filter_ = SharedFilter(input_rate, output_rate);
  history_.assign(half_width_, 0.0f);
  history_begin_ = -half_width_;
}

void LiveResampler::Process(absl::Span<const float> in, std::vector<float>* out) {
  if (filter_ == nullptr) {
    out->insert(out->end(), in.begin(), in.end());
    return;
  }
  history_.insert(history_.end(), in.begin(), in.end());
  const int64_t end = history_begin_ + static_cast<int64_t>(history_.size());
  while (true) {
    const int64_t position = produced_ * filter_->step;
    const int64_t at = position / filter_->exact_phases;
    if (at + half_width_ >= end) break;
    const float* first = history_.data() + (at - half_width_ + 1 - history_begin_);
    out->push_back(filter_->At(position % filter_->exact_phases, first));
    ++produced_;
  }
  const int64_t needed = produced_ * filter_->step / filter_->exact_phases - half_width_ + 1;
  const int64_t drop = std::min<int64_t>(needed - history_begin_, history_.size());
  if (drop > 0) {
    history_.erase(history_.begin(), history_.begin() + drop);
    history_begin_ += drop;
  }
}

void LiveResampler::Save(StateWriter& writer) const {
  if (filter_ == nullptr) return;
  writer.Int(produced_);
  writer.Int(history_begin_);
  writer.CountedFloats(history_);
}

void LiveResampler::Restore(StateReader& reader) {
  if (filter_ == nullptr) return;
  produced_ = reader.Int(0, kMostSamples);
  // The next output sample may look so far back.
  const int64_t oldest = produced_ * filter_->step / filter_->exact_phases - half_width_ + 1;
  history_begin_ = reader.Int(oldest - 1, oldest);
  history_ = reader.CountedFloats(kMostHistory);
}

}  // namespace ddsp
