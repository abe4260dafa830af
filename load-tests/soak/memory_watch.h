// What the server's memory came to, second by second, and whether it grew.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::soak {

struct MemorySample {
  double seconds = 0;  // since the begin
  int64_t resident = 0;
  int64_t proportional = 0;  // with shared pages in parts (PSS)
  int64_t anonymous = 0;     // heap, stacks: what is not a file
};

// Of a process, as the system tells.
absl::StatusOr<MemorySample> MemoryOf(pid_t pid);

// Means of two parts of a run: from a twelfth of it to a quarter, and of its last sixth. Of an hour those are minutes 5
// to 15 and the last ten.
struct Flatness {
  double early_bytes = 0, late_bytes = 0;
  double growth() const { return late_bytes / early_bytes - 1; }
};
// Of resident memory; nullopt where a part has no samples.
std::optional<Flatness> FlatnessOf(const std::vector<MemorySample>& samples, double duration);

}  // namespace ddsp::soak
