// No bytes may crash the reader of a checkpoint of TensorFlow, index and data. The first two bytes tell the length of
// the index's items, which come with right checksums; the rest is the only shard.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/importer/checkpoint_map.h"
#include "core/importer/tensor_bundle.h"
#include "tests/core/importer/table_writer.h"
#include "tests/support/test_voice.h"

namespace {

void Write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace importer = ddsp::importer;
  static const auto& folder = *new ddsp::testing::TempDir;
  if (size < 2) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const size_t items = std::min<size_t>(size - 2, data[0] + 256 * size_t{data[1]});
  const std::string prefix = folder.path() + "/ckpt-1";
  Write(prefix + ".index", importer::Table(importer::TableBlock(bytes.substr(2, items)), 0));
  Write(prefix + ".data-00000-of-00001", bytes.substr(2 + items));
  const auto bundle = importer::TensorBundle::Open(prefix);
  if (!bundle.ok()) return 0;
  for (const auto& [name, entry] : bundle->entries()) {
    (void)importer::Classify(name);
    bundle->ReadFloats(name).status().IgnoreError();
    bundle->ReadInteger(name).status().IgnoreError();
  }
  return 0;
}
