// No configuration and no file of parameters may crash what makes a voice of them. The configuration comes first; a
// line of "%%%" and the bytes of a safetensors file may follow.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/gin/reader.h"
#include "core/importer/model_config.h"
#include "core/importer/parameter_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace importer = ddsp::importer;
  const std::string text(reinterpret_cast<const char*>(data), size), mark = "\n%%%\n";
  const size_t end = text.find(mark);
  const auto config = ddsp::gin::ParseConfig(text.substr(0, end));
  if (!config.ok()) return 0;
  const auto model = importer::ReadModelConfig(*config);
  if (!model.ok() || end == std::string::npos) return 0;
  const auto file = ddsp::Safetensors::Parse(text.substr(end + mark.size()));
  if (!file.ok()) return 0;
  importer::ReadWeights(*file, *model, "fuzz").status().IgnoreError();
  (void)importer::StatisticsOf(*file);
  return 0;
}
