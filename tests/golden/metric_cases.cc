// metrics.*
#include "core/dsp/loudness.h"
#include "core/losses/metrics.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

Tensor Scalar(double value) { return at::scalar_tensor(value, at::kDouble); }

NamedTensors F0DistanceCase(Call& call) {
  const auto distance = F0Distance(call.In("f0_hz"), call.In("f0_hz_gen"), call.In("f0_confidence"),
                                   call.Number("f0_confidence_thresh", kMinF0Confidence));
  return distance ? Out(Scalar(*distance)) : NamedTensors();
}

LevelOptions LevelOptionsOf(Call& call) {
  LevelOptions options;
  options.sample_rate = call.Int("sample_rate", 16000);
  options.frame_rate = call.Int("frame_rate", 250);
  return options;
}

NamedTensors LoudnessMetricsCase(Call& call) {
  const LevelOptions options = LevelOptionsOf(call);
  const Tensor generated = ComputeLoudness(call.In("audio_gen"), options), given = call.OptionalIn("loudness_db");
  const Tensor original = given.defined() ? given : ComputeLoudness(call.In("audio"), options);
  Tensor sum = at::zeros({});
  for (int64_t i = 0; i < generated.size(0); ++i) sum = sum + L1Distance(original[i], generated[i]).mean();
  return {{"loudness_db", sum / generated.size(0)}};
}

NamedTensors F0MetricsCase(Call& call) {
  LevelOptionsOf(call);
  const F0Metrics metrics = ComputeF0Metrics(call.In("f0_hz"), call.In("f0_confidence"), call.In("f0_hz_predict"),
                                             call.Number("rpa_tolerance", 50));
  return {{"f0_dist", Scalar(metrics.f0_dist)},
          {"raw_pitch_accuracy", Scalar(metrics.raw_pitch_accuracy)},
          {"raw_chroma_accuracy", Scalar(metrics.raw_chroma_accuracy)}};
}

NamedTensors EvalCountsCase(Call& call) {
  const Tensor rows = call.In("counts").to(at::kLong);
  EvalCounts sum;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    sum = sum + EvalCounts{rows[i][0].item<int64_t>(), rows[i][1].item<int64_t>(), rows[i][2].item<int64_t>()};
  }
  return {{"precision", Scalar(sum.Precision())}, {"recall", Scalar(sum.Recall())}, {"f1", Scalar(sum.F1())}};
}

NamedTensors Counts(const std::string& prefix, const EvalCounts& counts) {
  const auto integer = [](int64_t n) { return at::scalar_tensor(n, at::kLong); };
  return {
      {prefix + "tp", integer(counts.tp)}, {prefix + "fp", integer(counts.fp)}, {prefix + "fn", integer(counts.fn)}};
}

std::vector<Note> Notes(const Tensor& rows) {
  std::vector<Note> notes;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    notes.push_back({rows[i][0].item<double>(), rows[i][1].item<double>(), rows[i][2].item<double>()});
  }
  return notes;
}

NamedTensors NoteMetricsCase(Call& call) {
  const std::vector<Note> gt = Notes(call.In("gt")), pred = Notes(call.In("pred"));
  NamedTensors results = Counts("onset/", CountNotes(gt, pred, NoteOffsets::kIgnore));
  results.merge(Counts("full/", CountNotes(gt, pred, NoteOffsets::kCompare)));
  return results;
}

}  // namespace

const AdapterEntry kMetricAdapters[] = {
    {"metrics.l1_distance", [](Call& c) { return Out(L1Distance(c.In("prediction"), c.In("ground_truth"))); }},
    {"metrics.squeeze", [](Call& c) { return Out(c.In("input_vector").squeeze()); }},
    {"metrics.is_outlier", [](Call& c) { return Out(Scalar(IsOutlier(c.In("ground_truth_f0_conf")) ? 1 : 0)); }},
    {"metrics.f0_dist_conf_thresh", F0DistanceCase},
    {"metrics.LoudnessMetrics", LoudnessMetricsCase},
    {"metrics.F0Metrics", F0MetricsCase},
    {"metrics.EvalCounts", EvalCountsCase},
    {"metrics.compute_frame_metrics",
     [](Call& c) { return Counts("", CountFrames(c.In("gt_pianoroll"), c.In("pred_pianoroll"))); }},
    {"metrics.compute_note_metrics", NoteMetricsCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
