#include "server/metrics/process_usage.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace ddsp::server {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t OpenFiles() {
  std::error_code error;
  const auto files = std::filesystem::directory_iterator("/proc/self/fd", error);
  return error ? 0 : std::distance(begin(files), end(files));
}

// Field 22 of /proc/self/stat is in ticks since the machine started; the name before it may hold spaces.
double StartTime() {
  std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
  std::string line;
  std::getline(stat, line);
  const size_t name_end = line.rfind(')');
  double up = 0;
  if (name_end == std::string::npos || !(uptime >> up)) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  constexpr int kStartTime = 20;  // counted from behind the name
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  const double since_boot = std::strtod(field.c_str(), nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return absl::ToUnixSeconds(absl::Now()) - up + since_boot;
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  static const double start = StartTime();
  return {
      .cpu_seconds = CpuSeconds(), .resident_bytes = ResidentBytes(), .open_files = OpenFiles(), .start_time = start};
}

double ReadMachineCpuSeconds() {
  cpu_set_t ours;
  if (sched_getaffinity(0, sizeof ours, &ours) != 0) return 0;
  std::ifstream stat("/proc/stat");
  double ticks = 0;
  // The cores come first; what follows is long on large machines.
  for (std::string line; std::getline(stat, line) && absl::StartsWith(line, "cpu");) {
    int cpu = 0;
    if (std::sscanf(line.c_str(), "cpu%d ", &cpu) != 1 || !CPU_ISSET(cpu, &ours)) continue;
    std::istringstream fields(line);
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
    fields >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen;
    ticks += user + system + interrupts + soft_interrupts + stolen;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int64_t MemoryLimit() {
  int64_t limit = 0;
  if (std::ifstream group("/sys/fs/cgroup/memory.max"); group >> limit) return limit;  // "max" is no number
  return sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

}  // namespace ddsp::server
