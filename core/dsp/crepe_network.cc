#include "core/dsp/crepe_network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int kBlocks = 6;
constexpr int64_t kFilters[kBlocks] = {32, 4, 4, 4, 8, 16};  // times the multiplier
constexpr int64_t kTaps[kBlocks] = {512, 64, 64, 64, 64, 64};
constexpr int64_t kStrides[kBlocks] = {4, 1, 1, 1, 1, 1};
constexpr int64_t kLastSteps = 4;  // 1024 samples / stride / six times pooling
constexpr double kEpsilon = 1e-3;  // of Keras's BatchNormalization
constexpr int64_t kAtOnce = 256;   // frames: conv1 of the full network makes 1 MB of each

struct Size {
  const char* name;
  int64_t multiplier;
};
constexpr Size kSizes[] = {{"tiny", 4}, {"small", 8}, {"medium", 16}, {"large", 24}, {"full", 32}};

using Shapes = std::map<std::string, std::vector<int64_t>>;

Shapes ShapesOf(int64_t multiplier) {
  Shapes shapes;
  int64_t in = 1;
  for (int i = 0; i < kBlocks; ++i) {
    const std::string conv = absl::StrCat("conv", i + 1);
    const int64_t out = kFilters[i] * multiplier;
    shapes[conv + "/kernel"] = {kTaps[i], 1, in, out};
    shapes[conv + "/bias"] = {out};
    for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"}) shapes[conv + "-BN/" + name] = {out};
    in = out;
  }
  shapes["classifier/kernel"] = {kLastSteps * in, kCrepeBins};
  shapes["classifier/bias"] = {kCrepeBins};
  return shapes;
}

std::string Describe(at::IntArrayRef shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

absl::StatusOr<int64_t> MultiplierOf(const NamedTensors& weights) {
  ASSIGN_OR_RETURN(const Tensor kernel, Lookup(weights, "conv1/kernel"));
  const int64_t filters = kernel.dim() == 4 ? kernel.size(3) : 0;
  if (filters > 0 && filters % kFilters[0] == 0) return filters / kFilters[0];
  return absl::InvalidArgumentError(
      absl::StrCat("conv1/kernel has shape ", Describe(kernel.sizes()), ", expected [512, 1, 1, a multiple of 32]"));
}

absl::Status CheckWeights(const NamedTensors& weights, const Shapes& shapes) {
  std::vector<std::string> problems;
  for (const auto& [name, shape] : shapes) {
    const auto it = weights.find(name);
    if (it == weights.end()) {
      problems.push_back(name + " is missing");
    } else if (it->second.sizes() != at::IntArrayRef(shape)) {
      problems.push_back(
          absl::StrCat(name, " has shape ", Describe(it->second.sizes()), ", expected ", Describe(shape)));
    } else if (!it->second.is_floating_point() || !at::isfinite(it->second).all().item<bool>()) {
      problems.push_back(name + " has values that are no finite numbers");
    }
  }
  for (const auto& [name, value] : weights) {
    if (!shapes.contains(name)) problems.push_back(name + " is no weight of CREPE");
  }
  return problems.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
}

// [frames, in, time] with zeros for Keras's 'same': the odd one at the end.
Tensor PadSame(const Tensor& x, int64_t taps, int64_t stride) {
  const int64_t out = (x.size(2) + stride - 1) / stride,
                total = std::max<int64_t>((out - 1) * stride + taps - x.size(2), 0);
  return at::constant_pad_nd(x, {total / 2, total - total / 2});
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CrepeNetwork>> CrepeNetwork::Create(const NamedTensors& weights) {
  ASSIGN_OR_RETURN(const int64_t multiplier, MultiplierOf(weights));
  RETURN_IF_ERROR(CheckWeights(weights, ShapesOf(multiplier)));
  return std::shared_ptr<const CrepeNetwork>(new CrepeNetwork(weights, multiplier));
}

absl::StatusOr<std::shared_ptr<const CrepeNetwork>> CrepeNetwork::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
  auto network = Create(ToTensors(file));
  if (network.ok()) return network;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", network.status().message()));
}

CrepeNetwork::CrepeNetwork(const NamedTensors& weights, int64_t multiplier) : multiplier_(multiplier) {
  const auto weight = [&](const std::string& name) { return weights.at(name).detach().to(at::kFloat); };
  for (int i = 0; i < kBlocks; ++i) {
    const std::string conv = absl::StrCat("conv", i + 1), norm = conv + "-BN/";
    const Tensor scale = weight(norm + "gamma") / at::sqrt(weight(norm + "moving_variance") + kEpsilon);
    blocks_.push_back({weight(conv + "/kernel").squeeze(1).permute({2, 1, 0}).contiguous(), weight(conv + "/bias"),
                       scale.unsqueeze(1), (weight(norm + "beta") - weight(norm + "moving_mean") * scale).unsqueeze(1),
                       kStrides[i]});
  }
  classifier_kernel_ = weight("classifier/kernel");
  classifier_bias_ = weight("classifier/bias");
}

std::string CrepeNetwork::Capacity() const {
  for (const Size& size : kSizes) {
    if (multiplier_ == size.multiplier) return size.name;
  }
  return absl::StrCat(multiplier_, " times 32 filters");
}

at::Tensor CrepeNetwork::Activations(const Tensor& frames, std::string_view layer) const {
  DDSP_CHECK_ARGUMENT(frames.dim() == 2 && frames.size(1) == kCrepeFrameSize, "frames have shape ", frames.sizes(),
                      ", expected [frames, 1024]");
  const std::vector<std::string> layers = CrepeLayers();
  DDSP_CHECK_ARGUMENT(std::find(layers.begin(), layers.end(), layer) != layers.end(), "activation layer is '",
                      std::string(layer), "', expected one of ", absl::StrJoin(layers, ", "));
  Tensor x = frames.unsqueeze(1);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    const std::string conv = absl::StrCat("conv", i + 1);
    x = at::relu(at::conv1d(PadSame(x, block.kernel.size(2), block.stride), block.kernel, block.bias, block.stride));
    if (layer == conv) return x.transpose(1, 2);
    x = x * block.scale + block.shift;
    if (layer == conv + "-BN") return x.transpose(1, 2);
    x = at::max_pool1d(x, 2);
    if (layer == conv + "-maxpool") return x.transpose(1, 2);
  }
  return at::sigmoid(at::matmul(x.transpose(1, 2).flatten(1), classifier_kernel_) + classifier_bias_);
}

std::vector<std::string> CrepeLayers() {
  std::vector<std::string> layers;
  for (int i = 1; i <= kBlocks; ++i) {
    for (const char* part : {"", "-BN", "-maxpool"}) layers.push_back(absl::StrCat("conv", i, part));
  }
  layers.emplace_back("classifier");
  return layers;
}

bool IsCrepeCapacity(std::string_view name) {
  return std::any_of(std::begin(kSizes), std::end(kSizes), [&](const Size& size) { return name == size.name; });
}

CrepePitch TrackPitch(const CrepeNetwork& network, const Tensor& audio, const CrepeTrackOptions& options) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
  const at::NoGradGuard no_grad;
  PadOptions pad;
  pad.padding = options.padding;
  const Tensor padded = PadForFrames(audio, kCrepeFrameSize, options.hop_size, pad);
  DDSP_CHECK_ARGUMENT(padded.size(1) >= kCrepeFrameSize, "audio has ", audio.size(1),
                      " samples, expected a frame of 1024");
  const Tensor frames = CrepeNormalize(CrepeFrames(padded, options.hop_size));
  std::vector<Tensor> parts;
  for (int64_t start = 0; start < frames.size(0); start += kAtOnce) {
    parts.push_back(network.Activations(frames.slice(0, start, start + kAtOnce)));
  }
  const Tensor activations = at::cat(parts);
  const int64_t batch = audio.size(0);
  Tensor centers;
  if (options.decoding == CrepeDecoding::kViterbi) {
    centers = CrepeViterbi(activations.view({batch, -1, kCrepeBins})).flatten();
  }
  const CrepePitch pitch = CrepeDecode(activations, centers);
  return {pitch.f0_hz.view({batch, -1}), pitch.confidence.view({batch, -1})};
}

}  // namespace ddsp
