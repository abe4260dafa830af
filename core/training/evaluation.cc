#include "core/training/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "core/audio/file_resampler.h"
#include "core/base/status_macros.h"
#include "core/losses/spectral_loss.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::training {
namespace {

constexpr int64_t kWindowSeconds = 4;

double Ratio(double sum, double count) { return count > 0 ? sum / count : 0; }

// Sum over whole windows of the upstream loss, and their number.
std::pair<double, int64_t> WindowLosses(int sample_rate, absl::Span<const float> original,
                                        absl::Span<const float> rendered) {
  double total = 0;
  int64_t windows = 0;
  const int64_t window = kWindowSeconds * sample_rate;
  const SpectralLoss loss(RecipeLoss(sample_rate));
  const auto view = [&](const float* data) { return at::from_blob(const_cast<float*>(data), {1, window}); };
  for (size_t begin = 0; begin + window <= std::min(original.size(), rendered.size()); begin += window, ++windows) {
    total += loss(view(&original[begin]), view(&rendered[begin])).item<double>();
  }
  return {total, windows};
}

absl::StatusOr<std::vector<FeatureFrame>> FramesOf(const FeatureExtractor& extractor, int sample_rate,
                                                   absl::Span<const float> audio) {
  ASSIGN_OR_RETURN(const std::vector<float> heard, ResampleFile(audio, sample_rate, extractor.settings().sample_rate));
  return extractor.Extract(heard);
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
  return PlayOn(*engine, dataset.sample_rate, original);
}

absl::StatusOr<Evaluation> EvaluateRendering(std::shared_ptr<const Voice> voice, const Dataset& dataset,
                                             const std::vector<Segment>& segments, const PlayedBack& played) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(dataset.settings));
  Evaluation evaluation;
  FeatureComparison features;
  double loss = 0;
  int64_t windows = 0;
  for (const Segment& segment : segments) {
    std::vector<float> original(segment.end - segment.begin);
    CopyAudio(dataset, segment, original.data());
    ASSIGN_OR_RETURN(const std::vector<float> rendered, PlayOn(*engine, dataset.sample_rate, original));
    if (played) RETURN_IF_ERROR(played(segment, original, rendered));
    ASSIGN_OR_RETURN(const std::vector<FeatureFrame> before, FramesOf(*extractor, dataset.sample_rate, original));
    ASSIGN_OR_RETURN(const std::vector<FeatureFrame> after, FramesOf(*extractor, dataset.sample_rate, rendered));
    features.Add(before, after);
    const auto [segment_loss, segment_windows] = WindowLosses(dataset.sample_rate, original, rendered);
    loss += segment_loss;
    windows += segment_windows;
    evaluation.seconds += static_cast<double>(original.size()) / dataset.sample_rate;
  }
  evaluation.rendered_spectral_loss = Ratio(loss, windows);
  static_cast<FeatureDistances&>(evaluation) = features.Result();
  return evaluation;
}

std::string Evaluation::ToJson() const {
  nlohmann::ordered_json json;
  json["held_out_seconds"] = seconds;
  if (spectral_loss > 0) json["spectral_loss"] = spectral_loss;
  json["rendered_spectral_loss"] = rendered_spectral_loss;
  json["loudness_l1_db"] = loudness_l1_db;
  json["voiced_loudness_l1_db"] = voiced_loudness_l1_db;
  json["f0_l1_semitones"] = f0_l1_semitones;
  json["f0_l1_without_outliers_semitones"] = f0_l1_without_outliers_semitones;
  json["f0_outliers"] = f0_outliers;
  json["f0_median_cents"] = f0_median_cents;
  json["raw_pitch_accuracy"] = raw_pitch_accuracy;
  json["raw_chroma_accuracy"] = raw_chroma_accuracy;
  json["voiced_recall"] = voiced_recall;
  return json.dump(2) + "\n";
}

std::string Evaluation::ToTable() const {
  std::string table = absl::StrFormat("| held-out material | %.1f s |\n|---|---|\n", seconds);
  if (spectral_loss > 0) {
    absl::StrAppendFormat(&table, "| spectral loss, 4 s windows from a zero state | %.3f |\n", spectral_loss);
  }
  absl::StrAppendFormat(&table,
                        "| spectral loss of the streamed rendering | %.3f |\n"
                        "| loudness L1, all frames | %.2f dB |\n"
                        "| loudness L1, voiced frames | %.2f dB |\n"
                        "| f0 L1, frames voiced in both | %.3f semitones (median %.1f cents) |\n"
                        "| f0 outliers, over %.0f semitones | %.2f %% of them; f0 L1 of the others %.3f semitones |\n"
                        "| raw pitch and chroma accuracy, %.0f cents | %.4f, %.4f |\n"
                        "| voiced frames that stay voiced | %.1f %% |\n",
                        rendered_spectral_loss, loudness_l1_db, voiced_loudness_l1_db, f0_l1_semitones, f0_median_cents,
                        kF0OutlierSemitones, 100 * f0_outliers, f0_l1_without_outliers_semitones, kPitchToleranceCents,
                        raw_pitch_accuracy, raw_chroma_accuracy, 100 * voiced_recall);
  return table;
}

}  // namespace ddsp::training
