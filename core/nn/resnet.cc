#include "core/nn/resnet.h"

#include <limits>

#include "absl/strings/str_cat.h"

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

ResidualStack::Options Body(const Shape& shape, NormType norm_type) {
  ResidualStack::Options options;
  options.in = shape.stem;
  options.blocks = {
      {shape.ch, shape.layers[0], 1}, {2 * shape.ch, shape.layers[1], 2}, {4 * shape.ch, shape.layers[2], 2}};
  options.norm_type = norm_type;
  return options;
}

ResidualStack::Options Head(const Shape& shape, NormType norm_type) {
  ResidualStack::Options options;
  options.in = 16 * shape.ch;
  options.blocks = {{8 * shape.ch, shape.head_layers, 2}};
  options.norm_type = norm_type;
  return options;
}

int64_t Half(int64_t size) { return (size + 1) / 2; }

// The maximum over 3 bins, every second one, with Keras's 'same' padding.
at::Tensor MaxOfBins(const at::Tensor& x) {
  const int64_t bins = x.size(2), padding = std::max<int64_t>(0, (Half(bins) - 1) * 2 + 3 - bins);
  const at::Tensor padded =
      at::constant_pad_nd(x, {0, 0, padding / 2, padding - padding / 2}, -std::numeric_limits<float>::infinity());
  return at::amax(padded.unfold(2, 3, 2), -1);
}

}  // namespace

absl::StatusOr<ResNetSize> ParseResNetSize(const std::string& name) {
  if (name == "tiny") return ResNetSize::kTiny;
  if (name == "small") return ResNetSize::kSmall;
  if (name == "medium") return ResNetSize::kMedium;
  if (name == "large") return ResNetSize::kLarge;
  return absl::InvalidArgumentError(absl::StrCat("size is '", name, "', expected tiny, small, medium or large"));
}

ResNet::ResNet(ResNetSize size, int64_t channels, NormType norm_type)
    : conv_({channels, ShapeOf(size).stem, {7, 7}, {1, 2}, {1, 1}}),
      body_(Body(ShapeOf(size), norm_type)),
      head_(Head(ShapeOf(size), norm_type)),
      out_channels_(32 * ShapeOf(size).ch) {}

int64_t ResNet::OutBins(int64_t bins) {
  for (int halvings = 0; halvings < 5; ++halvings) bins = Half(bins);
  return bins;
}

at::Tensor ResNet::Forward(const at::Tensor& x) const {
  return head_.Forward(body_.Forward(MaxOfBins(conv_.Forward(x))));
}

void ResNet::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  conv_.VisitParameters(prefix + "layers/0/", visit);
  body_.VisitParameters(prefix + "layers/2/", visit);
  head_.VisitParameters(prefix + "layers/3/", visit);
}

}  // namespace ddsp
