// No bytes may crash what reads the data sets and tables that are trained on or played. The first byte says what the
// rest is: i a data set's index beside a good shard, s a shard beside a good index, f a table of features, m metrics.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/check.h"
#include "core/base/file.h"
#include "core/features/feature_table.h"
#include "core/training/dataset.h"
#include "core/training/dataset_writer.h"
#include "core/training/metrics_log.h"
#include "tests/support/test_voice.h"

namespace ddsp::training {
namespace {

struct Good {
  Good() {
    Dataset dataset;
    Recording recording{"a.wav", SharedArray<float>(std::vector<float>(640, 0.5f)), std::vector<FeatureFrame>(3)};
    dataset.recordings.push_back(std::move(recording));
    dataset.warnings = {{"a.wav", "is short"}};
    DDSP_CHECK(WriteShards(folder.path(), dataset).ok(), "a data set can be written");
    index = *ReadFile(index_path());
    shard = *ReadFile(shard_path());
    DDSP_CHECK(ReadShards(folder.path()).ok(), "a data set can be read");
  }
  std::string index_path() const { return folder.path() + "/" + kDatasetIndexFile; }
  std::string shard_path() const { return folder.path() + "/" + ShardName(0); }

  const ddsp::testing::TempDir folder;
  std::string index, shard;
};

void Write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

void ReadDataset(const Good& good, const std::string& index, const std::string& shard) {
  Write(good.index_path(), index);
  Write(good.shard_path(), shard);
  const auto dataset = ReadShards(good.folder.path());
  if (!dataset.ok()) return;
  (void)dataset->voiced_seconds();
  MeasureMaterial(*dataset).status().IgnoreError();
}

void ReadTable(const std::string& text) {
  const auto table = ParseFeatures(text);
  if (!table.ok()) return;
  for (const FeatureFrame& frame : table->frames) {
    if (!std::isfinite(frame.f0_hz) || frame.f0_hz <= 0 || !std::isfinite(frame.power_db) ||
        !std::isfinite(frame.loudness_db) || !std::isfinite(frame.f0_confidence))
      std::abort();
  }
}

}  // namespace
}  // namespace ddsp::training

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ddsp::training;
  static const Good& good = *new Good;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'i':
      ReadDataset(good, bytes, good.shard);
      break;
    case 's':
      ReadDataset(good, good.index, bytes);
      break;
    case 'f':
      ReadTable(bytes);
      break;
    case 'm':
      Write(good.folder.path() + "/metrics.jsonl", bytes);
      (void)ReadMetric(good.folder.path(), "loss");
      break;
  }
  return 0;
}
