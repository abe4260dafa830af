// No bytes may crash the reader of a checkpoint's index: as a whole file, and as a block behind right checksums.
#include <cstdint>
#include <string>

#include "core/importer/sorted_table.h"
#include "tests/core/importer/table_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace importer = ddsp::importer;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  importer::ReadSortedTable(bytes, "fuzz").IgnoreError();
  for (const char compression : {0, 1})
    importer::ReadSortedTable(importer::Table(bytes, compression), "fuzz").IgnoreError();
  return 0;
}
