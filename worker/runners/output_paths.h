#pragma once

#include <string>
#include <vector>

namespace ddsp::worker {

// "takes/a.flac" with ".wav" gives "takes/a.wav". Where that would be the path of two inputs, or of one of the report,
// the later one keeps its whole name: "takes/a.flac.wav".
std::vector<std::string> OutputPaths(const std::vector<std::string>& inputs, const std::string& ending);

}  // namespace ddsp::worker
