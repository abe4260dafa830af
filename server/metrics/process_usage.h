// What this process takes of its machine, as Linux tells it.
#pragma once

#include <cstdint>

namespace ddsp::server {

struct ProcessUsage {
  double cpu_seconds = 0;
  int64_t resident_bytes = 0;
  int64_t open_files = 0;
  double start_time = 0;  // seconds of Unix time
};

// What cannot be read is zero.
ProcessUsage ReadProcessUsage();

// Seconds of CPU time that all programs have used on the cores that this one may use, but for those at lower priority,
// and that a hypervisor has given to others meanwhile; 0: not known.
double ReadMachineCpuSeconds();

// What the process may take: its control group's limit, or the machine's memory; 0: not known.
int64_t MemoryLimit();

}  // namespace ddsp::server
