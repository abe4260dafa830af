// No text may crash the gin reader, and what is read prints as text that reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/gin/printer.h"
#include "core/gin/reader.h"
#include "core/gin/registry.h"
#include "core/gin/update.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace gin = ddsp::gin;
  const std::string text(reinterpret_cast<const char*>(data), size);
  gin::UpdateConfig(text).IgnoreError();
  const auto config = gin::ParseConfig(text);
  if (!config.ok()) return 0;
  gin::CheckKnown(*config, gin::DdspConfigurables()).IgnoreError();
  const auto again = gin::ParseConfig(gin::Print(*config));
  if (!again.ok() || !(*again == *config)) std::abort();
  return 0;
}
