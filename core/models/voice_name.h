#pragma once

#include <string_view>

namespace ddsp {

// Names of voices are [a-z][a-z0-9-]{0,62}: safe in paths, in metric labels and on the command line.
inline bool IsVoiceName(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

}  // namespace ddsp
