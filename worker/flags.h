#pragma once

#include <optional>

#include "worker/jobs/worker_options.h"

namespace ddsp::worker {

struct ParsedFlags {
  WorkerOptions options;
  // Set where the program ends here: after --help, or for a flag that is wrong, which has been said.
  std::optional<int> exit_code;
};

ParsedFlags ParseFlags(int argc, const char* const* argv);

}  // namespace ddsp::worker
