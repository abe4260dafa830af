#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ddsp {

// By the first two bytes. An uncompressed TFRecord would begin with them if its first record had 35,615 bytes, or that
// and a multiple of 65,536, but then its next bytes could not be those of gzip.
inline bool IsGzip(std::string_view bytes) { return bytes.size() >= 3 && bytes.substr(0, 3) == "\x1f\x8b\x08"; }

// All members of a gzip file, one after the other. Errors: DATA_LOSS (damaged or cut off, with the offset),
// RESOURCE_EXHAUSTED (more than `max_size` bytes), UNIMPLEMENTED (a build without zlib).
absl::StatusOr<std::string> UnpackGzip(std::string_view bytes, size_t max_size);

}  // namespace ddsp
