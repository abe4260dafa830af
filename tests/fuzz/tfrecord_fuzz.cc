// No bytes may crash the readers of upstream's data sets: as a whole file, compressed, and as the content of a record
// behind right checksums.
#include <cstdint>
#include <string>

#include "core/datasets/gzip.h"
#include "core/datasets/notes_record.h"
#include "core/datasets/record_file.h"
#include "core/datasets/record_layout.h"
#include "tests/core/datasets/record_writer.h"

namespace {

void ReadRecords(std::string_view bytes) {
  ddsp::RecordReader reader(bytes, "fuzz");
  while (true) {
    const auto content = reader.Next();
    if (!content.ok() || !*content) return;
    const auto record = ddsp::ParseExampleRecord(**content);
    if (!record.ok()) continue;
    ddsp::CheckRecord(*record, {0.02, 32000, 250, ddsp::RecordFrames::kFromHop}).IgnoreError();
    ddsp::NotesSizesOf(*record).status().IgnoreError();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadRecords(bytes);
  ReadRecords(ddsp::Record(bytes));
  if (ddsp::IsGzip(bytes)) {
    const auto unpacked = ddsp::UnpackGzip(bytes, 1 << 20);
    if (unpacked.ok()) ReadRecords(*unpacked);
  }
  return 0;
}
