#pragma once

#include <vector>

#include "core/picture/image.h"
#include "load-tests/load_run.h"

namespace ddsp::loadtest {

// Block latency against streams: p50, p95 and p99 of each level, and the deadline as a line. Latencies are on a
// logarithmic axis.
Image DrawLatencies(const std::vector<LoadResult>& levels, double deadline_ms);

}  // namespace ddsp::loadtest
