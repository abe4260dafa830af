// The figures of a load test as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "load-tests/load_run.h"

namespace ddsp::loadtest {

struct LoadReport {
  std::string codec;
  double duration_s = 0;  // of each level
  double deadline_ms = 0;
  std::vector<LoadResult> levels;  // in the order in which they were run
  size_t best = 0;                 // of levels: the one to quote
  std::optional<double> start_to_first_audio_s;
  std::optional<double> p99_without_troublemakers_ms;
  // The median of p99 with latecomers to p99 without, of pairs of levels that followed each other.
  std::optional<double> overload_p99_ratio;
};

std::string TableHead();
std::string TableRow(const LoadResult& result);
std::string TextOf(const Refusals& refusals);
// The best level's figures on top, all levels below.
nlohmann::json ToJson(const LoadReport& report);

}  // namespace ddsp::loadtest
