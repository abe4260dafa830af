#include "core/dsp/named_tensors.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

at::ScalarType ScalarTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return at::kFloat;
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    case DType::kF64:
      return at::kDouble;
    case DType::kI32:
      return at::kInt;
    case DType::kI64:
      return at::kLong;
    case DType::kU8:
      return at::kByte;
  }
  return at::kFloat;
}

}  // namespace

absl::StatusOr<at::Tensor> Lookup(const NamedTensors& tensors, std::string_view name) {
  const auto it = tensors.find(name);
  if (it != tensors.end()) return it->second;
  const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
  return absl::NotFoundError(
      absl::StrCat("no tensor '", std::string(name), "'; there are: ", absl::StrJoin(tensors, ", ", key)));
}

at::Tensor ToTensor(const TensorView& view) {
  at::Tensor tensor = at::empty(view.shape, ScalarTypeOf(view.dtype));
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  const bool narrow = view.dtype == DType::kF16 || view.dtype == DType::kBF16;
  return narrow ? tensor.to(at::kFloat) : tensor;
}

NamedTensors ToTensors(const Safetensors& file, std::string_view prefix) {
  NamedTensors tensors;
  for (const std::string& name : file.Names()) {
    if (name.starts_with(prefix)) tensors.emplace(name.substr(prefix.size()), ToTensor(*file.Get(name)));
  }
  return tensors;
}

void AddTensors(const NamedTensors& tensors, SafetensorsWriter* writer) {
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    writer->AddFloats(name, values.sizes().vec(), values.const_data_ptr<float>());
  }
}

}  // namespace ddsp
