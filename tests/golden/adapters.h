// One adapter for each function of the golden files, by area.
#pragma once

#include "tests/golden/call.h"

namespace ddsp::golden {

struct AdapterEntry {
  const char* fn;
  Adapter adapter;
};

// Tables that end with a null entry; the sum of them is what FindAdapter() knows.
extern const AdapterEntry kCoreAdapters[];
extern const AdapterEntry kSpectralAdapters[];
extern const AdapterEntry kProcessorAdapters[];
extern const AdapterEntry kLossAdapters[];
extern const AdapterEntry kNnAdapters[];
extern const AdapterEntry kPreprocessingAdapters[];
extern const AdapterEntry kModelAdapters[];
extern const AdapterEntry kEncoderAdapters[];
extern const AdapterEntry kHeuristicAdapters[];
extern const AdapterEntry kDecoderAdapters[];
extern const AdapterEntry kMetricAdapters[];
extern const AdapterEntry kPostprocessingAdapters[];
extern const AdapterEntry kLayerAdapters[];
extern const AdapterEntry kDagAdapters[];
extern const AdapterEntry kTrainingAdapters[];
extern const AdapterEntry kImportAdapters[];

}  // namespace ddsp::golden
