#include "load-tests/soak/memory_watch.h"

#include <map>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::soak {
namespace {

std::optional<double> MeanBetween(const std::vector<MemorySample>& samples, double begin, double end) {
  double sum = 0;
  int count = 0;
  for (const MemorySample& sample : samples) {
    if (sample.seconds < begin || sample.seconds > end) continue;
    sum += static_cast<double>(sample.resident);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

absl::StatusOr<MemorySample> MemoryOf(pid_t pid) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(absl::StrCat("/proc/", pid, "/smaps_rollup")));
  std::istringstream lines(text);
  std::map<std::string, int64_t> kib;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t value = 0;
    if (words >> name >> value) kib[name] = value;
  }
  return MemorySample{
      .resident = kib["Rss:"] << 10, .proportional = kib["Pss:"] << 10, .anonymous = kib["Anonymous:"] << 10};
}

std::optional<Flatness> FlatnessOf(const std::vector<MemorySample>& samples, double duration) {
  const std::optional<double> early = MeanBetween(samples, duration / 12, duration / 4);
  const std::optional<double> late = MeanBetween(samples, duration * 5 / 6, duration);
  if (!early.has_value() || !late.has_value()) return std::nullopt;
  return Flatness{.early_bytes = *early, .late_bytes = *late};
}

}  // namespace ddsp::soak
