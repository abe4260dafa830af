#include "core/training/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/losses/spectral_loss.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::training {
namespace {

constexpr int64_t kWindow = 64000;  // samples

// Sums over frames, to be divided at the end.
struct Differences {
  double loudness = 0, voiced_loudness = 0, semitones = 0;
  int64_t frames = 0, voiced = 0, both_voiced = 0;
  std::vector<double> cents;

  void Add(const FeatureFrame& original, const FeatureFrame& rendered) {
    const double db = std::fabs(original.loudness_db - rendered.loudness_db);
    loudness += db;
    ++frames;
    if (!original.voiced) return;
    voiced_loudness += db;
    ++voiced;
    if (!rendered.voiced) return;
    const double distance = std::fabs(12 * std::log2(rendered.f0_hz / original.f0_hz));
    semitones += distance;
    cents.push_back(100 * distance);
    ++both_voiced;
  }
};

double Ratio(double sum, double count) { return count > 0 ? sum / count : 0; }

// Sum over whole windows of the upstream loss, and their number.
std::pair<double, int64_t> WindowLosses(absl::Span<const float> original, absl::Span<const float> rendered) {
  double total = 0;
  int64_t windows = 0;
  const SpectralLoss loss(RecipeSpectralLoss());
  const auto view = [](const float* data) { return at::from_blob(const_cast<float*>(data), {1, kWindow}); };
  for (size_t begin = 0; begin + kWindow <= std::min(original.size(), rendered.size()); begin += kWindow, ++windows) {
    total += loss(view(&original[begin]), view(&rendered[begin])).item<double>();
  }
  return {total, windows};
}

absl::StatusOr<std::vector<float>> PlayOn(VoiceEngine& engine, int sample_rate, absl::Span<const float> original) {
  RenderOptions options;
  options.framer.tail = TailPolicy::kCut;
  options.framer.input_rate = options.framer.output_rate = sample_rate;
  ASSIGN_OR_RETURN(Rendering rendering, Render(engine, options, original));
  return std::move(rendering.audio);
}

}  // namespace

absl::StatusOr<std::vector<float>> PlayBack(const std::shared_ptr<const Voice>& voice, const Dataset& dataset,
                                            const Segment& segment) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  std::vector<float> original(segment.end - segment.begin);
  CopyAudio(dataset, segment, original.data());
  return PlayOn(*engine, dataset.settings.sample_rate, original);
}

absl::StatusOr<Evaluation> EvaluateRendering(std::shared_ptr<const Voice> voice, const Dataset& dataset,
                                             const std::vector<Segment>& segments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(dataset.settings));
  Evaluation evaluation;
  Differences sums;
  double loss = 0;
  int64_t windows = 0;
  for (const Segment& segment : segments) {
    std::vector<float> original(segment.end - segment.begin);
    CopyAudio(dataset, segment, original.data());
    ASSIGN_OR_RETURN(const std::vector<float> rendered, PlayOn(*engine, dataset.settings.sample_rate, original));
    const std::vector<FeatureFrame> before = extractor->Extract(original), after = extractor->Extract(rendered);
    for (size_t t = 0; t < std::min(before.size(), after.size()); ++t) sums.Add(before[t], after[t]);
    const auto [segment_loss, segment_windows] = WindowLosses(original, rendered);
    loss += segment_loss;
    windows += segment_windows;
    evaluation.seconds += static_cast<double>(original.size()) / dataset.settings.sample_rate;
  }
  evaluation.rendered_spectral_loss = Ratio(loss, windows);
  evaluation.loudness_l1_db = Ratio(sums.loudness, sums.frames);
  evaluation.voiced_loudness_l1_db = Ratio(sums.voiced_loudness, sums.voiced);
  evaluation.f0_l1_semitones = Ratio(sums.semitones, sums.both_voiced);
  evaluation.voiced_recall = Ratio(sums.both_voiced, sums.voiced);
  if (!sums.cents.empty()) {
    std::nth_element(sums.cents.begin(), sums.cents.begin() + sums.cents.size() / 2, sums.cents.end());
    evaluation.f0_median_cents = sums.cents[sums.cents.size() / 2];
  }
  return evaluation;
}

std::string Evaluation::ToJson() const {
  nlohmann::ordered_json json;
  json["held_out_seconds"] = seconds;
  json["spectral_loss"] = spectral_loss;
  json["rendered_spectral_loss"] = rendered_spectral_loss;
  json["loudness_l1_db"] = loudness_l1_db;
  json["voiced_loudness_l1_db"] = voiced_loudness_l1_db;
  json["f0_l1_semitones"] = f0_l1_semitones;
  json["f0_median_cents"] = f0_median_cents;
  json["voiced_recall"] = voiced_recall;
  return json.dump(2) + "\n";
}

std::string Evaluation::ToTable() const {
  return absl::StrFormat(
      "| held-out material | %.1f s |\n"
      "|---|---|\n"
      "| spectral loss, 4 s windows from a zero state | %.3f |\n"
      "| spectral loss of the streamed rendering | %.3f |\n"
      "| loudness L1, all frames | %.2f dB |\n"
      "| loudness L1, voiced frames | %.2f dB |\n"
      "| f0 L1, frames voiced in both | %.3f semitones (median %.1f cents) |\n"
      "| voiced frames that stay voiced | %.1f %% |\n",
      seconds, spectral_loss, rendered_spectral_loss, loudness_l1_db, voiced_loudness_l1_db, f0_l1_semitones,
      f0_median_cents, 100 * voiced_recall);
}

}  // namespace ddsp::training
