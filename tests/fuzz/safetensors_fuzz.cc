// No bytes may crash the reader of safetensors, and what is read is what would be written again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = ddsp::Safetensors::Parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!file.ok()) return 0;
  ddsp::SafetensorsWriter writer;
  for (const std::string& name : file->Names()) {
    const auto view = file->Get(name);
    const auto values = file->GetFloats(name);
    if (!view.ok() || !values.ok() || static_cast<int64_t>(values->size()) != view->elements()) std::abort();
    writer.Add(name, view->dtype, view->shape, std::string(view->bytes));
  }
  for (const auto& [key, value] : file->metadata()) writer.SetMetadata(key, value);
  const auto again = ddsp::Safetensors::Parse(writer.Format());
  if (!again.ok() || again->Names() != file->Names() || again->metadata() != file->metadata()) std::abort();
  for (const std::string& name : file->Names()) {
    if (again->Get(name)->bytes != file->Get(name)->bytes) std::abort();
  }
  return 0;
}
