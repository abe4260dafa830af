// What a data set on disk says of itself: `examples.json`, beside its shards.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp {

inline constexpr char kExampleIndexFile[] = "examples.json";

struct ExampleShard {
  std::string file;  // beside the index
  int64_t examples = 0;
};

// A set that is still being written is complete shards and an index that says so; it can be gone on with.
enum class ExampleSetState { kUnfinished, kComplete };

struct ExampleIndex {
  ExampleSetState state = ExampleSetState::kUnfinished;
  std::string recipe;                                    // how the set was made, with all that its values depend on
  double sample_rate = 0;                                // Hz; 0: there is no audio
  double frame_rate = 0;                                 // Hz; 0: there are no frames
  std::map<std::string, std::vector<int64_t>> features;  // name and shape of one example
  std::vector<ExampleShard> shards;                      // in the order of the examples

  int64_t examples() const;
};

std::string FormatExampleIndex(const ExampleIndex& index);

// Errors: INVALID_ARGUMENT that names the member and what is wrong with it.
absl::StatusOr<ExampleIndex> ParseExampleIndex(std::string_view json);

// The index of `directory`. Errors: those of ReadFile; INVALID_ARGUMENT naming the file.
absl::StatusOr<ExampleIndex> ReadExampleIndex(const std::string& directory);
absl::Status WriteExampleIndex(const std::string& directory, const ExampleIndex& index);  // atomically

}  // namespace ddsp
