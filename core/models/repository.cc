#include "core/models/repository.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/models/aliases.h"
#include "core/models/bundle_format.h"
#include "core/models/voice_name.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

void ListVersions(const fs::path& model, std::vector<VoiceLocation>* voices) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model, error)) {
    int64_t version = 0;
    const std::string name = entry.path().filename();
    if (!absl::SimpleAtoi(name, &version) || version <= 0 || name != absl::StrCat(version)) continue;
    if (!fs::exists(entry.path() / kManifestFile, error)) continue;  // being written, or no bundle
    voices->push_back({model.filename(), version, entry.path()});
  }
}

absl::StatusOr<int64_t> ResolveAlias(const fs::path& model, const std::string& alias) {
  ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(model.string()));
  const auto found = aliases.find(alias);
  if (found == aliases.end()) {
    return absl::NotFoundError(absl::StrCat("model '", model.filename().string(), "' has no alias '", alias, "'"));
  }
  return found->second;
}

std::string KnownNames(const std::vector<VoiceLocation>& voices) {
  std::vector<std::string> names;
  for (const VoiceLocation& voice : voices) {
    if (names.empty() || names.back() != voice.model) names.push_back(voice.model);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

}  // namespace

absl::StatusOr<std::vector<VoiceLocation>> ListVoices(const std::string& repository) {
  std::error_code error;
  if (!fs::is_directory(repository, error))
    return absl::NotFoundError(absl::StrCat(repository, ": no such model repository"));
  std::vector<VoiceLocation> voices;
  for (const auto& entry : fs::directory_iterator(repository, error)) {
    if (entry.is_directory() && IsVoiceName(entry.path().filename().string())) ListVersions(entry.path(), &voices);
  }
  std::sort(voices.begin(), voices.end(), [](const VoiceLocation& a, const VoiceLocation& b) {
    return std::tie(a.model, a.version) < std::tie(b.model, b.version);
  });
  return voices;
}

int64_t NextVersion(const std::string& model_directory) {
  int64_t largest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model_directory, error)) {
    int64_t version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version)) largest = std::max(largest, version);
  }
  return largest + 1;
}

absl::StatusOr<VoiceLocation> FindVoice(const std::string& repository, std::string_view reference) {
  const absl::string_view text(reference.data(), reference.size());
  const std::vector<std::string> by_version = absl::StrSplit(text, absl::MaxSplits('/', 1));
  const std::vector<std::string> by_alias = absl::StrSplit(text, absl::MaxSplits('@', 1));
  const std::string& model = by_version.size() == 2 ? by_version[0] : by_alias[0];
  if (!IsVoiceName(model)) return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no model name"));
  int64_t wanted = 0;  // the newest
  if (by_version.size() == 2 && (!absl::SimpleAtoi(by_version[1], &wanted) || wanted <= 0)) {
    return absl::InvalidArgumentError(absl::StrCat("'", by_version[1], "' is no version of model '", model, "'"));
  }
  ASSIGN_OR_RETURN(const std::vector<VoiceLocation> voices, ListVoices(repository));
  if (by_alias.size() == 2) {
    ASSIGN_OR_RETURN(wanted, ResolveAlias(fs::path(repository) / model, by_alias[1]));
  }
  for (auto voice = voices.rbegin(); voice != voices.rend(); ++voice) {
    if (voice->model == model && (wanted == 0 || voice->version == wanted)) return *voice;
  }
  return absl::NotFoundError(absl::StrCat("no model '", text, "' in ", repository, "; there is: ", KnownNames(voices)));
}

}  // namespace ddsp
