// Stands in for snappy_block.cc where there is no libsnappy.
#include "core/importer/snappy_block.h"

namespace ddsp::importer {

absl::StatusOr<std::string> UnpackSnappy(std::string_view, size_t) {
  return absl::UnimplementedError("the block is compressed with Snappy, which this build does without");
}

}  // namespace ddsp::importer
