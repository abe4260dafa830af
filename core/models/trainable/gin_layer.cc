#include "core/models/trainable/gin_layer.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/graph/constructor_from_gin.h"

namespace ddsp {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

// Notes what a graph would pass over, since it does not train.
void RejectWhatTrains(GinArguments& args, const ConstructorArgs& given) {
  const auto reject = [&](const std::string& what) {
    args.Reject(absl::StrCat(what, " acts in training, which layers of models do not do here"));
  };
  if (ActsInTraining(args.class_name())) reject(args.class_name());
  for (const auto& [name, value] : given) {
    const auto* text = std::get_if<std::string>(&value);
    const auto* number = std::get_if<double>(&value);
    if (text != nullptr && ActsInTraining(*text)) reject(*text);
    if (name.ends_with("dropout") && number != nullptr && *number != 0) reject(name);
  }
}

}  // namespace

Tensor ZeroSequence(int64_t channels) {
  constexpr int64_t kSteps = 64;  // as many as valid convolutions may take away
  return at::zeros({1, kSteps, channels});
}

absl::StatusOr<NamedTensors> GinLayer::Forward(const NamedTensors& features) const {
  Tensors inputs;
  for (const Port& port : form_.inputs) {
    if (!port.required && !features.contains(port.name)) {
      inputs.emplace_back();
      continue;
    }
    ASSIGN_OR_RETURN(const Tensor input, Lookup(features, port.name));
    inputs.push_back(input);
  }
  ASSIGN_OR_RETURN(const Tensors outputs, CatchTorch([&] { return built_.forward(inputs); }));
  NamedTensors named;
  for (size_t i = 0; i < outputs.size(); ++i) named[form_.results[i]] = outputs[i];
  return named;
}

void GinLayer::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  if (built_.layer != nullptr) built_.layer->VisitParameters(prefix, visit);
}

bool ReadAsGraph(GinArguments& args, const std::function<void(ArgReader&)>& read) {
  const absl::StatusOr<ConstructorArgs> given = ConstructorFromGin(args.config(), args.parameters(), args.scope());
  args.problems().Add(given.status());
  if (!given.ok()) return false;
  ArgReader reader(*given);
  ReadCommon(reader);
  read(reader);
  for (const std::string& problem : reader.problems()) {
    const size_t space = problem.find(' ');
    args.Reject(problem.substr(0, space), space == std::string::npos ? "" : problem.substr(space + 1));
  }
  for (const std::string& name : reader.unread()) args.Reject(name, "is not supported");
  RejectWhatTrains(args, *given);
  return reader.problems().empty() && reader.unread().empty();
}

std::unique_ptr<GinLayer> LayerFromGin(GinArguments& args, const LayerClass& layer, const FeatureChannels& channels) {
  LayerForm form;
  if (!ReadAsGraph(args, [&](ArgReader& reader) { form = FormOf(layer, reader); })) return nullptr;
  Tensors inputs;
  for (const Port& port : form.inputs) {
    const auto known = channels.find(port.name);
    const bool given = port.required || known != channels.end();
    inputs.push_back(given ? ZeroSequence(known == channels.end() ? 1 : known->second) : Tensor());
  }
  absl::StatusOr<BuiltLayer> built = CatchTorch([&] { return form.build(inputs); });
  if (!built.ok()) {
    args.Reject(built.status().message());
    return nullptr;
  }
  return std::make_unique<GinLayer>(std::move(form), *std::move(built));
}

}  // namespace ddsp
