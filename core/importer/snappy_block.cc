#include "core/importer/snappy_block.h"

#include <snappy.h>

#include "absl/strings/str_cat.h"

namespace ddsp::importer {

absl::StatusOr<std::string> UnpackSnappy(std::string_view packed, size_t max_bytes) {
  const absl::Status broken = absl::DataLossError("the block's compression is broken");
  size_t size = 0;
  if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size)) return broken;
  if (size > max_bytes)
    return absl::ResourceExhaustedError(absl::StrCat("the block unpacks to ", size, " bytes, at most ", max_bytes));
  std::string unpacked;
  if (!snappy::Uncompress(packed.data(), packed.size(), &unpacked)) return broken;
  return unpacked;
}

}  // namespace ddsp::importer
