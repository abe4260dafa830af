// No bytes may crash what goes on with work that others have begun, or what reads tables that others have measured. The
// first byte: c a checkpoint of a trainer, s a snapshot of a train job, b the record of a batch job, q quantiles as
// pairs of float64.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "core/dsp/quantile_transformer.h"
#include "core/training/checkpoint.h"
#include "tests/fuzz/input_file.h"
#include "tests/support/test_voice.h"
#include "worker/runners/batch_record.h"
#include "worker/runners/train_snapshot.h"

namespace ddsp {
namespace {

const training::ParameterShapeMap& Shapes() {
  static const auto* const shapes = new training::ParameterShapeMap{{"decoder/bias", {2}}, {"reverb/ir", {1, 3}}};
  return *shapes;
}

void ReadCheckpoint(const std::string& bytes) {
  training::ReadCheckpoint(fuzz::InputFile(bytes).path(), Shapes()).status().IgnoreError();
}

void ReadSnapshot(const std::string& bytes) {
  static const auto& folder = *new ddsp::testing::TempDir;
  const std::string directory = folder.path() + "/run";
  if (!worker::UnpackSnapshot(fuzz::InputFile(bytes).path(), 7, directory).ok()) return;
  training::ReadLatestCheckpoint(directory + "/checkpoints", Shapes()).status().IgnoreError();
  std::filesystem::remove_all(directory);
}

void ReadRecord(const std::string& text) {
  const auto record = worker::BatchRecord::Parse(text);
  if (!record.ok()) return;
  const auto again = worker::BatchRecord::Parse(record->Format());
  if (!again.ok() || again->size() != record->size()) std::abort();
}

void ReadQuantiles(const std::string& bytes) {
  std::vector<double> references, quantiles;
  for (size_t at = 0; at + 16 <= bytes.size(); at += 16) {
    std::memcpy(&references.emplace_back(), &bytes[at], 8);
    std::memcpy(&quantiles.emplace_back(), &bytes[at + 8], 8);
  }
  for (const auto distribution :
       {QuantileTransformer::Distribution::kUniform, QuantileTransformer::Distribution::kNormal}) {
    const auto table = QuantileTransformer::FromQuantiles(references, quantiles, distribution);
    if (!table.ok()) return;
    for (const double x : {-1e9, 0.0, 0.5, 1e9, static_cast<double>(NAN)}) (void)table->Inverse(table->Transform(x));
  }
}

}  // namespace
}  // namespace ddsp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'c':
      ddsp::ReadCheckpoint(bytes);
      break;
    case 's':
      ddsp::ReadSnapshot(bytes);
      break;
    case 'b':
      ddsp::ReadRecord(bytes);
      break;
    case 'q':
      ddsp::ReadQuantiles(bytes);
      break;
  }
  return 0;
}
