// No text may crash the reader of a data set's index, and what is read stays the same when it is written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/datasets/example_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto index = ddsp::ParseExampleIndex(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!index.ok()) return 0;
  const auto again = ddsp::ParseExampleIndex(ddsp::FormatExampleIndex(*index));
  if (!again.ok() || again->features != index->features || again->recipe != index->recipe ||
      again->examples() != index->examples())
    std::abort();
  return 0;
}
