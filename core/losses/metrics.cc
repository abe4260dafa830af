#include "core/losses/metrics.h"

#include <algorithm>
#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/resample.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor Midi(const Tensor& hz) {
  const Tensor notes = 12 * (at::log2(hz.to(at::kDouble)) - std::log2(440.0)) + 69;
  return at::where(at::isinf(notes), at::zeros_like(notes), notes);
}

// Cents above 10 Hz; 0 Hz stays 0.
Tensor Cents(const Tensor& hz) {
  const Tensor cents = 1200 * at::log2(at::abs(hz.to(at::kDouble)) / 10);
  return at::where(hz == 0, at::zeros_like(cents), cents);
}

double RoundedDistance(double a, double b) { return std::round(std::abs(a - b) * 1e4) / 1e4; }

bool Agree(const Note& gt, const Note& pred, NoteOffsets offsets) {
  constexpr double kTolerance = 0.05, kOffsetRatio = 0.2, kCents = 50;
  if (RoundedDistance(gt.start, pred.start) > kTolerance || std::abs(gt.pitch - pred.pitch) * 100 > kCents)
    return false;
  return offsets == NoteOffsets::kIgnore ||
         RoundedDistance(gt.end, pred.end) <= std::max(kTolerance, kOffsetRatio * (gt.end - gt.start));
}

// The largest matching of a bipartite graph, by augmenting paths.
class Matching {
 public:
  Matching(const std::vector<std::vector<size_t>>& edges, size_t right) : edges_(edges), partner_(right, kNone) {}
  int64_t Size() {
    int64_t size = 0;
    for (size_t left = 0; left < edges_.size(); ++left) {
      visited_.assign(partner_.size(), false);
      size += Augment(left) ? 1 : 0;
    }
    return size;
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  bool Augment(size_t left) {
    for (const size_t right : edges_[left]) {
      if (visited_[right]) continue;
      visited_[right] = true;
      if (partner_[right] == kNone || Augment(partner_[right])) {
        partner_[right] = left;
        return true;
      }
    }
    return false;
  }

  const std::vector<std::vector<size_t>>& edges_;
  std::vector<size_t> partner_;
  std::vector<bool> visited_;
};

double Ratio(double a, double b) { return b > 0 ? a / b : 0.0; }

}  // namespace

at::Tensor L1Distance(const Tensor& prediction, const Tensor& ground_truth) {
  const Tensor a = prediction.squeeze(), b = ground_truth.squeeze();
  DDSP_CHECK_ARGUMENT(a.dim() == 1 && b.dim() == 1, "vectors have shapes ", prediction.sizes(), " and ",
                      ground_truth.sizes(), ", expected one axis each");
  const int64_t n = std::min(a.size(0), b.size(0));
  return at::abs(a.narrow(0, 0, n) - b.narrow(0, 0, n));
}

bool IsOutlier(const Tensor& f0_confidence) { return f0_confidence.max().item<double>() < kMinF0Confidence; }

std::optional<double> F0Distance(const Tensor& f0_hz, const Tensor& f0_hz_gen, const Tensor& f0_confidence,
                                 double threshold) {
  const Tensor confident = f0_confidence.squeeze() >= threshold;
  if (!confident.any().item<bool>()) return std::nullopt;
  const Tensor distance = L1Distance(Midi(f0_hz), Midi(f0_hz_gen));
  return distance.masked_select(confident.narrow(0, 0, distance.size(0))).mean().item<double>();
}

double PitchAccuracy(const Tensor& f0_hz, const Tensor& f0_hz_predict, OctaveErrors octaves, double tolerance_cents) {
  const Tensor reference = Cents(f0_hz), estimate = Cents(f0_hz_predict);
  Tensor distance = at::abs(reference - estimate);
  if (octaves == OctaveErrors::kForgive) distance = at::abs(distance - 1200 * at::floor(distance / 1200 + 0.5));
  const Tensor voiced = f0_hz > 0;
  const Tensor correct = (distance < tolerance_cents) & (reference != 0) & (estimate != 0) & voiced;
  return Ratio(correct.sum().item<double>(), voiced.sum().item<double>());
}

F0Metrics ComputeF0Metrics(const Tensor& f0_hz, const Tensor& f0_confidence, const Tensor& f0_hz_predict,
                           double tolerance_cents) {
  const int64_t frames = f0_hz_predict.size(1);
  const bool same = f0_hz.size(1) == frames;
  const Tensor reference = same ? f0_hz : Resample(f0_hz, frames),
               confidence = same ? f0_confidence : Resample(f0_confidence, frames);
  F0Metrics sum;
  double examples = 0;
  for (int64_t i = 0; i < reference.size(0); ++i) {
    if (IsOutlier(confidence[i])) continue;
    sum.f0_dist += F0Distance(reference[i], f0_hz_predict[i], confidence[i]).value();
    sum.raw_pitch_accuracy += PitchAccuracy(reference[i], f0_hz_predict[i], OctaveErrors::kCount, tolerance_cents);
    sum.raw_chroma_accuracy += PitchAccuracy(reference[i], f0_hz_predict[i], OctaveErrors::kForgive, tolerance_cents);
    examples += 1;
  }
  return {Ratio(sum.f0_dist, examples), Ratio(sum.raw_pitch_accuracy, examples),
          Ratio(sum.raw_chroma_accuracy, examples)};
}

double EvalCounts::Precision() const { return Ratio(static_cast<double>(tp), static_cast<double>(tp + fp)); }
double EvalCounts::Recall() const { return Ratio(static_cast<double>(tp), static_cast<double>(tp + fn)); }
double EvalCounts::F1() const { return Ratio(2 * Precision() * Recall(), Precision() + Recall()); }

EvalCounts operator+(const EvalCounts& a, const EvalCounts& b) { return {a.tp + b.tp, a.fp + b.fp, a.fn + b.fn}; }

EvalCounts CountFrames(const Tensor& gt_pianoroll, const Tensor& pred_pianoroll) {
  const Tensor gt = gt_pianoroll.amax(1) > 0, pred = pred_pianoroll.amax(1) > 0;
  DDSP_CHECK_ARGUMENT(gt.sizes() == pred.sizes(), "piano rolls have shapes ", gt_pianoroll.sizes(), " and ",
                      pred_pianoroll.sizes(), ", expected the same number of frames");
  const auto count = [](const Tensor& mask) { return mask.sum().item<int64_t>(); };
  return {count(pred & gt), count(pred & ~gt), count(~pred & gt)};
}

EvalCounts CountNotes(const std::vector<Note>& gt, const std::vector<Note>& pred, NoteOffsets offsets) {
  std::vector<std::vector<size_t>> edges(gt.size());
  for (size_t i = 0; i < gt.size(); ++i) {
    for (size_t j = 0; j < pred.size(); ++j) {
      if (Agree(gt[i], pred[j], offsets)) edges[i].push_back(j);
    }
  }
  const int64_t matched = Matching(edges, pred.size()).Size();
  return {matched, static_cast<int64_t>(pred.size()) - matched, static_cast<int64_t>(gt.size()) - matched};
}

}  // namespace ddsp
