// Tensors by name: the currency between networks, processors, graphs and files.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/safetensors.h"

namespace ddsp {

// Nested results are flattened with '/': "harmonic/controls/f0_hz".
using NamedTensors = std::map<std::string, at::Tensor, std::less<>>;

// Returns the tensor `name`. Errors: NOT_FOUND, listing the names that there are.
absl::StatusOr<at::Tensor> Lookup(const NamedTensors& tensors, std::string_view name);

// A copy of one array of a file: floating types as float32 (float64 stays), integers in their own width.
at::Tensor ToTensor(const TensorView& view);

// Copies every array of `file`, or those below `prefix` with the prefix removed.
NamedTensors ToTensors(const Safetensors& file, std::string_view prefix = "");

// Adds a float32 copy of every tensor to `writer`.
void AddTensors(const NamedTensors& tensors, SafetensorsWriter* writer);

}  // namespace ddsp
