// postprocessing.*, colab_utils.*: notes, quantiles, tuning.
#include "core/dsp/argument.h"
#include "core/dsp/loudness.h"
#include "core/dsp/note_detection.h"
#include "core/dsp/quantile_transformer.h"
#include "core/dsp/tuning.h"
#include "core/dsp/units.h"
#include "core/importer/dataset_statistics.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

std::vector<double> Doubles(const Tensor& x) {
  const Tensor flat = x.to(at::kDouble).contiguous().flatten();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Tensor Vector(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

// f of every element.
template <typename F>
Tensor Map(const Tensor& x, F f) {
  std::vector<double> values = Doubles(x);
  for (double& value : values) value = f(value);
  return Vector(values).view(x.sizes());
}

NamedTensors DetectNotesCase(Call& call) {
  const DetectNotesOptions options = {call.Number("note_threshold", 1), call.Number("exponent", 2),
                                      call.Int("smoothing", 40), call.Number("f0_confidence_threshold", 0.7),
                                      call.Number("min_db", -80)};
  const DetectedNotes notes = DetectNotes(call.In("loudness_db"), call.In("f0_confidence"), options);
  return {{"mask_on", notes.mask_on.to(at::kInt)}, {"note_on_ratio", notes.note_on_ratio}};
}

QuantileTransformer::Distribution DistributionOf(Call& call) {
  const std::string name = call.Text("output_distribution", "uniform");
  if (name == "uniform") return QuantileTransformer::Distribution::kUniform;
  if (name == "normal") return QuantileTransformer::Distribution::kNormal;
  throw Rejected("output_distribution is " + name);
}

// As a training directory's statistics hold it.
NamedTensors StoredQuantileCase(Call& call) {
  const std::string directory = call.golden_case().directory + "/import/" + call.Text("dir", "");
  const auto statistics = Unwrap(importer::ReadDatasetStatistics(directory + "/dataset_statistics.pkl"));
  if (!statistics.quantile_transform) throw Rejected(directory + " has no quantile_transform");
  const importer::LoudnessQuantiles& stored = *statistics.quantile_transform;
  const bool uniform = stored.distribution == importer::LoudnessQuantiles::Distribution::kUniform;
  const auto transformer = Unwrap(QuantileTransformer::FromQuantiles(
      stored.references, stored.quantiles_db,
      uniform ? QuantileTransformer::Distribution::kUniform : QuantileTransformer::Distribution::kNormal));
  return {{"transformed", Map(call.In("x"), [&](double v) { return transformer.Transform(v); })},
          {"inverse", Map(call.In("u"), [&](double v) { return transformer.Inverse(v); })}};
}

// Fitted column by column.
NamedTensors QuantileCase(Call& call) {
  if (call.Has("dir")) return StoredQuantileCase(call);
  const Tensor fit = call.In("fit"), x = call.In("x"), u = call.In("u");
  const int64_t n_quantiles = call.Int("n_quantiles", 1000);
  const auto distribution = DistributionOf(call);
  NamedTensors results;
  std::vector<Tensor> quantiles, transformed, inverted;
  for (int64_t column = 0; column < fit.size(1); ++column) {
    const auto transformer =
        Unwrap(QuantileTransformer::Fit(Doubles(fit.select(1, column)), n_quantiles, distribution));
    results["references"] = Vector(transformer.references());
    quantiles.push_back(Vector(transformer.quantiles()));
    transformed.push_back(Map(x.select(1, column), [&](double v) { return transformer.Transform(v); }));
    inverted.push_back(Map(u.select(1, column), [&](double v) { return transformer.Inverse(v); }));
  }
  results["quantiles"] = at::stack(quantiles, 1);
  results["transformed"] = at::stack(transformed, 1);
  results["inverted"] = at::stack(inverted, 1);
  return results;
}

NamedTensors FitQuantileCase(Call& call) {
  const Tensor loudness = call.In("loudness_db").flatten(), mask = call.In("mask_on").flatten().to(at::kBool);
  const auto source = Unwrap(QuantileTransformer::Fit(Doubles(loudness.masked_select(mask))));
  const Tensor inv_fit = call.OptionalIn("inv_fit");
  NamedTensors results = {{"references", Vector(source.references())},
                          {"quantiles", Vector(source.quantiles()).unsqueeze(1)}};
  if (!inv_fit.defined()) return results;
  const auto target = Unwrap(QuantileTransformer::Fit(Doubles(inv_fit)));
  const Tensor mapped = Map(loudness, [&](double v) { return target.Inverse(source.Transform(v)); });
  results["loudness_norm"] = at::where(mask, mapped, loudness.to(at::kDouble)).unsqueeze(1);
  return results;
}

// Statistics of x [examples, time], over the masked frames where there is a mask.
void AddStatistics(const Tensor& x, const std::string& name, const Tensor& mask, NamedTensors* results) {
  std::vector<Tensor> maxima, minima;
  for (int64_t i = 0; i < x.size(0); ++i) {
    const Tensor row = x[i].masked_select(mask[i]);
    if (row.numel() == 0) continue;
    maxima.push_back(row.max());
    minima.push_back(row.min());
  }
  const Tensor all = x.masked_select(mask);
  (*results)["mean_" + name] = all.mean();
  (*results)["max_" + name] = all.max();
  (*results)["min_" + name] = all.min();
  (*results)["mean_max_" + name] = at::stack(maxima).mean();
  (*results)["mean_min_" + name] = at::stack(minima).mean();
  (*results)["std_" + name] = at::std(all, /*unbiased=*/false);
}

NamedTensors DatasetStatisticsCase(Call& call) {
  constexpr int64_t kTrim = 20;  // frames that upstream leaves out at the end
  LevelOptions level;
  level.frame_size = call.Int("power_frame_size", 1024);
  level.frame_rate = call.Int("power_frame_rate", 50);
  const auto trimmed = [](const Tensor& x) { return x.narrow(1, 0, x.size(1) - kTrim).to(at::kDouble); };
  const Tensor loudness = trimmed(call.In("loudness_db")), power = trimmed(ComputePower(call.In("audio"), level));
  const Tensor pitch = trimmed(HzToMidi(call.In("f0_hz")));
  const Tensor detected = DetectNotes(loudness, trimmed(call.In("f0_confidence"))).mask_on;
  const Tensor mask = at::logical_or(detected, at::logical_not(detected.any(1, /*keepdim=*/true)));
  const Tensor everything = at::ones_like(mask);
  NamedTensors results;
  AddStatistics(pitch, "pitch", everything, &results);
  AddStatistics(power, "power", everything, &results);
  AddStatistics(loudness, "loudness", everything, &results);
  AddStatistics(pitch, "pitch_note", mask, &results);
  AddStatistics(power, "power_note", mask, &results);
  AddStatistics(loudness, "loudness_note", mask, &results);
  const auto quantiles = Unwrap(QuantileTransformer::Fit(Doubles(loudness.masked_select(mask))));
  results["quantiles"] = Vector(quantiles.quantiles()).unsqueeze(1);
  return results;
}

NamedTensors AutoTuneCase(Call& call) {
  const TuningScale scale = call.Flag("chromatic", false) ? TuningScale::kChromatic : TuningScale::kBestMajor;
  return Out(AutoTune(call.In("f0_midi"), call.Number("tuning_factor", 0), call.In("mask_on"), call.Number("amount", 0),
                      scale));
}

NamedTensors TuningFactorCase(Call& call) {
  return Out(
      at::scalar_tensor(TuningFactor(call.In("f0_midi"), call.In("f0_confidence"), call.In("mask_on")), at::kDouble));
}

}  // namespace

const AdapterEntry kPostprocessingAdapters[] = {
    {"postprocessing.smooth", [](Call& c) { return Out(Smooth(c.In("x"), c.Int("filter_size", 3))); }},
    {"postprocessing.detect_notes", DetectNotesCase},
    {"postprocessing.QuantileTransformer", QuantileCase},
    {"postprocessing.fit_quantile_transform", FitQuantileCase},
    {"postprocessing.compute_dataset_statistics", DatasetStatisticsCase},
    {"colab_utils.get_tuning_factor", TuningFactorCase},
    {"colab_utils.auto_tune", AutoTuneCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
