// <repository>/<model>/aliases.textproto: names for versions that people move ("champion").
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp {

inline constexpr char kAliasesFile[] = "aliases.textproto";

using VoiceAliases = std::map<std::string, int64_t>;

// Errors: INVALID_ARGUMENT with the line.
absl::StatusOr<VoiceAliases> ParseAliases(const std::string& text);
std::string FormatAliases(const VoiceAliases& aliases);

// None where there is no file. Errors: INVALID_ARGUMENT with the line.
absl::StatusOr<VoiceAliases> ReadAliases(const std::string& model_directory);

// By a rename. Errors: those of the file system.
absl::Status WriteAliases(const std::string& model_directory, const VoiceAliases& aliases);

}  // namespace ddsp
