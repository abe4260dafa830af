// The most memory that a piece of work takes, from the operating system.
#pragma once

#include <malloc.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace ddsp {

// Bytes of a line such as "VmHWM:     1234 kB" of /proc/self/status.
inline int64_t StatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoll(line.substr(field.size() + 1)) * 1024;
  }
  return 0;
}

// Resident bytes beyond those at the start that `work` has at its peak. Linux; 0 elsewhere.
template <typename F>
int64_t PeakBytes(F work) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again from here
  const int64_t before = StatusBytes("VmRSS");
  work();
  return StatusBytes("VmHWM") - before;
}

}  // namespace ddsp
