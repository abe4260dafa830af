// No bytes may crash the reader of pickled statistics.
#include <cstdint>
#include <string_view>

#include "core/importer/dataset_statistics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ddsp::importer::ParseDatasetStatistics(bytes, "fuzz").IgnoreError();
  return 0;
}
