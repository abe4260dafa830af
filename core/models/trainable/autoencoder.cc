#include "core/models/trainable/autoencoder.h"

#include "core/base/status_macros.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

// Adds `more` to `tensors`; what is there already is replaced.
void Update(const NamedTensors& more, NamedTensors* tensors) {
  for (const auto& [name, tensor] : more) (*tensors)[name] = tensor;
}

}  // namespace

absl::StatusOr<ModelOutputs> Autoencoder::Run(const NamedTensors& features, const ModelContext& context) const {
  ModelOutputs result;
  NamedTensors& outputs = result.outputs;
  outputs = features;
  if (parts_.preprocessor.run) {
    ASSIGN_OR_RETURN(const NamedTensors preprocessed, parts_.preprocessor.run(features));
    Update(preprocessed, &outputs);
  }
  if (parts_.encoder != nullptr) {
    ASSIGN_OR_RETURN(const Tensor f0_scaled, Lookup(outputs, "f0_scaled"));
    ASSIGN_OR_RETURN(outputs["z"], parts_.encoder->Encode(outputs, f0_scaled.size(1)));
  }
  ASSIGN_OR_RETURN(const NamedTensors controls, parts_.decoder->Decode(outputs));
  Update(controls, &outputs);
  ASSIGN_OR_RETURN(const NamedTensors sounds, parts_.processor_group->Run(outputs, context));
  Update(sounds, &outputs);
  ASSIGN_OR_RETURN(outputs["audio_synth"], Lookup(outputs, "out/signal"));

  const auto audio = features.find("audio");
  if (context.losses == LossTerms::kLeaveOut || audio == features.end()) return result;
  for (const AudioLoss& loss : parts_.losses) {
    ASSIGN_OR_RETURN(result.losses[loss.name],
                     CatchTorch([&] { return loss.loss(audio->second, outputs["audio_synth"]); }));
  }
  return result;
}

void Autoencoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  if (parts_.encoder != nullptr) parts_.encoder->VisitParameters(prefix + "encoder/", visit);
  parts_.decoder->VisitParameters(prefix + "decoder/", visit);
  parts_.processor_group->VisitParameters(prefix + "processor_group/", visit);
}

std::unique_ptr<TrainableModel> AutoencoderFromGin(GinArguments& args) {
  Autoencoder::Parts parts;
  FeatureChannels channels;
  if (std::optional<GinArguments> preprocessor = args.Child("preprocessor")) {
    parts.preprocessor = PreprocessorFromGin(*preprocessor);
  }
  if (std::optional<GinArguments> encoder = args.Child("encoder")) {
    parts.encoder = ZEncoderFromGin(*encoder);
    if (parts.encoder != nullptr) channels["z"] = parts.encoder->channels();
  }
  if (std::optional<GinArguments> decoder = args.Child("decoder")) {
    parts.decoder = ControlDecoderFromGin(*decoder, channels);
  } else {
    args.Reject("decoder", "is missing");
  }
  parts.processor_group = TrainableGroupFromGin(args);
  parts.losses = AudioLossesFromGin(args, "losses");
  args.Finish();
  if (!args.problems().empty()) return nullptr;
  return std::make_unique<Autoencoder>(std::move(parts));
}

}  // namespace ddsp
