// Damages of a file, the same in every run: for readers that have to be safe on any input.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace ddsp::importer {

// Calls `read` with `rounds` damaged forms of `original`: bits flipped, bytes overwritten, cut, repeated, removed.
inline void ForEachMutation(std::string_view original, int rounds,
                            const std::function<void(const std::string&)>& read) {
  std::mt19937_64 random(20220713);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % (n + (n == 0))); };
  for (int round = 0; round < rounds; ++round) {
    std::string bytes(original);
    for (size_t damages = 1 + below(3); damages > 0 && !bytes.empty(); --damages) {
      const size_t at = below(bytes.size()), length = 1 + below(16);
      switch (below(6)) {
        case 0:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 1:
          bytes[at] = static_cast<char>(random());
          break;
        case 2:
          bytes[at] = "\x00\x7f\x80\xff"[below(4)];
          break;
        case 3:
          bytes.resize(at);
          break;
        case 4:
          bytes.insert(at, bytes.substr(below(bytes.size()), length));
          break;
        case 5:
          bytes.erase(at, length);
          break;
      }
    }
    read(bytes);
  }
}

}  // namespace ddsp::importer
