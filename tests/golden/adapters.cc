#include "tests/golden/adapters.h"

#include <map>

namespace ddsp::golden {
namespace {

std::map<std::string, Adapter> AllAdapters() {
  std::map<std::string, Adapter> all;
  for (const AdapterEntry* table : {kCoreAdapters, kSpectralAdapters, kProcessorAdapters, kLossAdapters, kNnAdapters,
                                    kPreprocessingAdapters, kModelAdapters, kLayerAdapters, kDagAdapters,
                                    kPostprocessingAdapters, kMetricAdapters, kDecoderAdapters, kHeuristicAdapters,
                                    kEncoderAdapters, kTrainingAdapters, kImportAdapters}) {
    for (const AdapterEntry* entry = table; entry->fn != nullptr; ++entry) all[entry->fn] = entry->adapter;
  }
  return all;
}

}  // namespace

Adapter FindAdapter(const std::string& fn) {
  static const auto* const kAll = new std::map<std::string, Adapter>(AllAdapters());
  const auto it = kAll->find(fn);
  return it == kAll->end() ? nullptr : it->second;
}

}  // namespace ddsp::golden
