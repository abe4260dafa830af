// Independent random streams of one run, each a pure function of (seed, purpose, index): nothing to save but the
// numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace ddsp {

// SplitMix64's finaliser over an FNV-1a hash of the purpose.
inline uint64_t DeriveSeed(uint64_t seed, std::string_view purpose, int64_t index) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  uint64_t x = seed ^ hash ^ (static_cast<uint64_t>(index) * 0x9e3779b97f4a7c15u);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace ddsp
