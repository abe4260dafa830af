// The sorted table in which TensorFlow stores the index of a checkpoint (LevelDB's table format: blocks of entries
// whose keys share prefixes, an index of blocks, a footer). Data only; safe on any input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::importer {

struct TableEntry {
  std::string key, value;
};

// All entries of the table `bytes`, in rising order of keys. Every block's checksum is verified.
// Errors: DATA_LOSS naming `file`, the offset and what is wrong: no footer or another magic number, a block outside of
// the file, a checksum that differs, a compression that is unknown or broken, lengths that leave the block, keys out of
// order. RESOURCE_EXHAUSTED for a table that claims to unpack to more than 256 MiB.
absl::StatusOr<std::vector<TableEntry>> ReadSortedTable(std::string_view bytes, const std::string& file);

}  // namespace ddsp::importer
