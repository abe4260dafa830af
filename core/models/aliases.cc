#include "core/models/aliases.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/models/text_proto.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp {
namespace {

std::string PathIn(const std::string& model_directory) { return absl::StrCat(model_directory, "/", kAliasesFile); }

}  // namespace

absl::StatusOr<VoiceAliases> ParseAliases(const std::string& text) {
  v1::Aliases message;
  RETURN_IF_ERROR(ParseTextProto(text, &message));
  return VoiceAliases(message.versions().begin(), message.versions().end());
}

std::string FormatAliases(const VoiceAliases& aliases) {
  std::string text;
  // Sorted, as a map field is not.
  for (const auto& [alias, version] : aliases) {
    v1::Aliases one;
    (*one.mutable_versions())[alias] = version;
    text += FormatTextProto(one);
  }
  return text;
}

absl::StatusOr<VoiceAliases> ReadAliases(const std::string& model_directory) {
  const absl::StatusOr<std::string> text = ReadFile(PathIn(model_directory));
  if (absl::IsNotFound(text.status())) return VoiceAliases();
  RETURN_IF_ERROR(text.status());
  absl::StatusOr<VoiceAliases> aliases = ParseAliases(*text);
  if (!aliases.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(PathIn(model_directory), ": ", aliases.status().message()));
  }
  return aliases;
}

absl::Status WriteAliases(const std::string& model_directory, const VoiceAliases& aliases) {
  return WriteFileAtomically(PathIn(model_directory), FormatAliases(aliases));
}

}  // namespace ddsp
