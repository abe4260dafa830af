#include "core/models/aliases.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/models/text_proto.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp {
namespace {

std::string PathIn(const std::string& model_directory) { return absl::StrCat(model_directory, "/aliases.textproto"); }

}  // namespace

absl::StatusOr<VoiceAliases> ReadAliases(const std::string& model_directory) {
  const absl::StatusOr<std::string> text = ReadFile(PathIn(model_directory));
  if (absl::IsNotFound(text.status())) return VoiceAliases();
  RETURN_IF_ERROR(text.status());
  v1::Aliases message;
  const absl::Status parsed = ParseTextProto(*text, &message);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(PathIn(model_directory), ": ", parsed.message()));
  }
  return VoiceAliases(message.versions().begin(), message.versions().end());
}

absl::Status WriteAliases(const std::string& model_directory, const VoiceAliases& aliases) {
  std::string text;
  // Sorted, as a map field is not.
  for (const auto& [alias, version] : aliases) {
    v1::Aliases one;
    (*one.mutable_versions())[alias] = version;
    text += FormatTextProto(one);
  }
  return WriteFileAtomically(PathIn(model_directory), text);
}

}  // namespace ddsp
