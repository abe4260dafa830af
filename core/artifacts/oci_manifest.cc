#include "core/artifacts/oci_manifest.h"

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kDigestPrefix = "sha256:";
constexpr char kEmptyType[] = "application/vnd.oci.empty.v1+json";
constexpr char kFileType[] = "application/vnd.ddsp.voice.file.v1";

bool IsDigest(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kDigestPrefix) || text.size() != 64) return false;
  return text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

absl::StatusOr<Json> Parse(const std::string& text, const char* what) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return absl::InvalidArgumentError(absl::StrCat("the OCI ", what, " is no JSON object"));
  return json;
}

// Empty where there is none, or something else than text.
std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& Member(const Json& json, const char* key) {
  static const Json kNothing = Json::object();
  const auto found = json.find(key);
  return found != json.end() ? *found : kNothing;
}

absl::StatusOr<OciFile> ParseLayer(const Json& layer) {
  if (!layer.is_object()) return absl::InvalidArgumentError("a layer of the OCI manifest is no object");
  OciFile file{.path = Text(Member(layer, "annotations"), kOciTitle), .digest = Text(layer, "digest")};
  if (!IsDigest(file.digest)) {
    return absl::InvalidArgumentError(absl::StrCat("OCI layer '", file.path, "': '", file.digest, "' is no digest"));
  }
  const Json& size = Member(layer, "size");
  if (!size.is_number_unsigned()) {
    return absl::InvalidArgumentError(absl::StrCat("OCI layer '", file.path, "' has no size"));
  }
  file.bytes = size.get<int64_t>();
  return file;
}

}  // namespace

std::string OciDigest(const std::string& content) { return absl::StrCat(kDigestPrefix, Sha256Hex(content)); }

std::string FormatOciManifest(const OciManifest& manifest) {
  Json layers = Json::array();
  for (const OciFile& file : manifest.files) {
    layers.push_back({{"mediaType", kFileType},
                      {"digest", file.digest},
                      {"size", file.bytes},
                      {"annotations", {{kOciTitle, file.path}}}});
  }
  const Json json = {{"schemaVersion", 2},
                     {"mediaType", kOciManifestType},
                     {"artifactType", kOciVoiceType},
                     {"config", {{"mediaType", kEmptyType}, {"digest", OciDigest("{}")}, {"size", 2}}},
                     {"layers", std::move(layers)},
                     {"annotations", manifest.annotations}};
  return json.dump(2) + "\n";
}

absl::StatusOr<OciManifest> ParseOciManifest(const std::string& text) {
  ASSIGN_OR_RETURN(const Json json, Parse(text, "manifest"));
  if (const std::string type = Text(json, "artifactType"); type != kOciVoiceType) {
    return absl::InvalidArgumentError(absl::StrCat("the OCI artifact is of type '", type, "', no ", kOciVoiceType));
  }
  OciManifest manifest;
  std::set<std::string> paths;
  for (const Json& layer : Member(json, "layers")) {
    ASSIGN_OR_RETURN(OciFile file, ParseLayer(layer));
    if (!paths.insert(file.path).second) {
      return absl::InvalidArgumentError(absl::StrCat("the OCI manifest has two layers '", file.path, "'"));
    }
    manifest.files.push_back(std::move(file));
  }
  for (const auto& [key, value] : Member(json, "annotations").items()) {
    if (value.is_string()) manifest.annotations[key] = value.get<std::string>();
  }
  return manifest;
}

absl::StatusOr<std::string> FindInOciIndex(const std::string& index, const std::string& tag) {
  ASSIGN_OR_RETURN(const Json json, Parse(index, "index"));
  std::vector<std::string> tags, found;
  for (const Json& descriptor : Member(json, "manifests")) {
    if (!descriptor.is_object()) return absl::InvalidArgumentError("a descriptor of the OCI index is no object");
    tags.push_back(Text(Member(descriptor, "annotations"), kOciRefName));
    if (tag.empty() || tags.back() == tag) found.push_back(Text(descriptor, "digest"));
  }
  if (found.size() == 1 && IsDigest(found[0])) return found[0];
  if (found.size() == 1) return absl::InvalidArgumentError(absl::StrCat("'", found[0], "' is no OCI digest"));
  return absl::NotFoundError(absl::StrCat(
      found.empty() ? absl::StrCat("the OCI layout has no '", tag, "'") : "the OCI layout holds several; name one",
      "; there is: ", absl::StrJoin(tags, ", ")));
}

}  // namespace ddsp
