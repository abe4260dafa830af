#include "core/models/trainable/model_losses.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/dsp/argument.h"
#include "core/graph/graph_spec.h"
#include "core/graph/loss_arguments.h"
#include "core/losses/crepe_embedding_loss.h"
#include "core/losses/spectral_loss.h"
#include "core/models/trainable/gin_layer.h"
#include "core/models/trainable/supplied_crepe.h"

namespace ddsp {

namespace {

LossType ReadLossType(GinArguments& args) {
  return args.Accept("loss_type", CatchTorch([&] { return ParseLossType(args.Text("loss_type", "L1")); }));
}

AudioLoss CrepeEmbeddingFromGin(GinArguments& args) {
  CrepeEmbeddingOptions options;
  options.weight = args.Number("weight", 1);
  options.loss_type = ReadLossType(args);
  options.activation_layer = args.Text("activation_layer", "classifier");
  args.Accept("activation_layer", CatchTorch([&] { return CrepeActivationScale(options.activation_layer); }));
  const std::string name = args.Text("name", "pretrained_crepe_embedding_loss");
  const std::shared_ptr<const CrepeNetwork> crepe = SuppliedCrepe(args, "model_capacity", "tiny");
  args.Finish();
  const auto embed = [=](const at::Tensor& audio) { return CrepeEmbedding(*crepe, audio, options.activation_layer); };
  return {name, [=](const at::Tensor& target, const at::Tensor& audio) {
            return CrepeEmbeddingLoss(embed, target, audio, options);
          }};
}

AudioLoss EmbeddingFromGin(GinArguments& args) {
  const double weight = args.Number("weight", 1);
  const LossType type = ReadLossType(args);
  const std::string name = args.Text("name", "embedding_loss");
  std::optional<GinArguments> model = args.Child("pretrained_model");
  args.Finish();
  if (!model || model->class_name() != "losses.PretrainedCREPE") {
    args.Reject("pretrained_model", "is not losses.PretrainedCREPE, the only model of sounds that there is");
    return {};
  }
  const std::string layer = model->Text("activation_layer", "conv5-maxpool");
  const std::shared_ptr<const CrepeNetwork> crepe = SuppliedCrepe(*model, "model_capacity", "tiny");
  const std::vector<std::string> layers = CrepeLayers();
  if (std::find(layers.begin(), layers.end(), layer) == layers.end()) {
    model->Reject("activation_layer", absl::StrCat("is '", layer, "', expected one of ", absl::StrJoin(layers, ", ")));
  }
  model->Finish();
  const auto embed = [=](const at::Tensor& audio) { return CrepeEmbedding(*crepe, audio, layer); };
  return {name, [=](const at::Tensor& target, const at::Tensor& audio) {
            return EmbeddingLoss(embed, target, audio, weight, type);
          }};
}

AudioLoss SpectralFromGin(GinArguments& args) {
  const std::string name = args.Text("name", "spectral_loss");
  SpectralLossOptions options;
  if (!ReadAsGraph(args, [&](ArgReader& reader) { options = ReadSpectralLoss(reader); })) return {};
  // A loss without any term is the constant 0 (upstream: pretraining sets both weights to 0).
  const bool is_nothing = options.mag_weight == 0 && options.delta_time_weight == 0 && options.delta_freq_weight == 0 &&
                          options.cumsum_freq_weight == 0 && options.logmag_weight == 0 && options.loudness_weight == 0;
  if (is_nothing)
    return {name, [](const at::Tensor&, const at::Tensor& audio) { return at::zeros({}, audio.options()); }};
  return {name, [loss = std::make_shared<const SpectralLoss>(options)](
                    const at::Tensor& target, const at::Tensor& audio) { return (*loss)(target, audio); }};
}

}  // namespace

AudioLoss AudioLossFromGin(GinArguments& args) {
  if (args.class_name() == "losses.SpectralLoss") return SpectralFromGin(args);
  if (args.class_name() == "losses.PretrainedCREPEEmbeddingLoss") return CrepeEmbeddingFromGin(args);
  if (args.class_name() == "losses.EmbeddingLoss") return EmbeddingFromGin(args);
  if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no loss of audio here"));
  return {};
}

std::vector<AudioLoss> AudioLossesFromGin(GinArguments& args, const std::string& name) {
  std::vector<AudioLoss> losses;
  for (GinArguments& child : args.Children(name)) {
    AudioLoss loss = AudioLossFromGin(child);
    if (loss.loss) losses.push_back(std::move(loss));
  }
  return losses;
}

SinusoidLoss SinusoidLossFromGin(GinArguments& args) {
  SinusoidLoss made;
  if (args.class_name() == "losses.KDEConsistencyLoss") {
    KdeConsistencyOptions options;
    if (!ReadAsGraph(args, [&](ArgReader& reader) { options = ReadKdeConsistency(reader); })) return made;
    made.loss = [options](const SinusoidSet& a, const SinusoidSet& b) { return KdeConsistencyLoss(a, b, options); };
  } else if (args.class_name() == "losses.WassersteinConsistencyLoss") {
    const double weight = args.Number("weight", 1);
    args.ExpectFlag("midi", true, true);
    args.Finish();
    made.loss = [weight](const SinusoidSet& a, const SinusoidSet& b) {
      return WassersteinConsistencyLoss(a, b, weight);
    };
  } else {
    if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no loss of sinusoids"));
    return made;
  }
  made.name = args.Text("name", DefaultModuleName(args.class_name()));
  return made;
}

}  // namespace ddsp
