#include "core/nn/resnet.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/nn/keras_convolution.h"

namespace ddsp {
namespace {

struct Shape {
  int64_t stem, ch;             // channels of the first convolution, and of the first block
  std::vector<int64_t> layers;  // of the blocks of the body
  int64_t head_layers;
};

Shape ShapeOf(ResNetSize size) {
  switch (size) {
    case ResNetSize::kTiny:
      return {8, 4, {1, 1, 1}, 1};
    case ResNetSize::kSmall:
      return {64, 32, {2, 3, 4}, 3};
    case ResNetSize::kMedium:
      return {64, 32, {3, 4, 6}, 3};
    case ResNetSize::kLarge:
      break;
  }
  return {64, 64, {3, 4, 6}, 3};
}

ResidualStack::Options Body(const ResNet::Options& net) {
  const Shape shape = ShapeOf(net.size);
  return {shape.stem,
          {{shape.ch, shape.layers[0], 1}, {2 * shape.ch, shape.layers[1], 2}, {4 * shape.ch, shape.layers[2], 2}},
          net.norm_type,
          net.z_channels,
          net.modulation};
}

ResidualStack::Options Head(const ResNet::Options& net) {
  const Shape shape = ShapeOf(net.size);
  return {16 * shape.ch, {{8 * shape.ch, shape.head_layers, 2}}, net.norm_type, net.z_channels, net.modulation};
}

int64_t Half(int64_t size) { return (size + 1) / 2; }

}  // namespace

absl::StatusOr<ResNetSize> ParseResNetSize(const std::string& name) {
  if (name == "tiny") return ResNetSize::kTiny;
  if (name == "small") return ResNetSize::kSmall;
  if (name == "medium") return ResNetSize::kMedium;
  if (name == "large") return ResNetSize::kLarge;
  return absl::InvalidArgumentError(absl::StrCat("size is '", name, "', expected tiny, small, medium or large"));
}

ResNet::ResNet(const Options& options)
    : conv_({options.channels, ShapeOf(options.size).stem, {7, 7}, {1, 2}, {1, 1}}),
      body_(Body(options)),
      head_(Head(options)),
      out_channels_(OutChannels(options.size)) {}

int64_t ResNet::OutChannels(ResNetSize size) { return 32 * ShapeOf(size).ch; }

int64_t ResNet::OutBins(int64_t bins) {
  for (int halvings = 0; halvings < 5; ++halvings) bins = Half(bins);
  return bins;
}

at::Tensor ResNet::Forward(const at::Tensor& x, const at::Tensor& z) const {
  DDSP_CHECK_ARGUMENT(x.dim() == 4, "x has shape ", x.sizes(), ", expected [batch, time, bins, channels]");
  return head_.Forward(body_.Forward(Pool(conv_.Forward(x), Pooling::kMax, {1, 3}, {1, 2}, ConvPadding::kSame), z), z);
}

void ResNet::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  conv_.VisitParameters(prefix + "layers/0/", visit);
  body_.VisitParameters(prefix + "layers/2/", visit);
  head_.VisitParameters(prefix + "layers/3/", visit);
}

}  // namespace ddsp
