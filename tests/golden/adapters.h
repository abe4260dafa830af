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

}  // namespace ddsp::golden
