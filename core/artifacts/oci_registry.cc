#include "core/artifacts/oci_registry.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/artifacts/http_client.h"
#include "core/artifacts/url_escape.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

constexpr absl::string_view kScheme = "oci://";
constexpr int64_t kMaxManifestBytes = 4 << 20;  // what the specification wants of registries

// One repository of a registry; asks for a token when it is told to.
class Puller {
 public:
  Puller(OciReference reference, OciRegistryOptions options)
      : reference_(std::move(reference)), options_(std::move(options)), http_({.ca_file = options_.ca_file}) {}

  absl::StatusOr<std::string> Manifest() {
    return Get(absl::StrCat("manifests/", reference_.tag), kOciManifestType, kMaxManifestBytes);
  }
  absl::StatusOr<std::string> Blob(const OciFile& blob) {
    return Get(absl::StrCat("blobs/", blob.digest), "application/octet-stream", blob.bytes);
  }

 private:
  absl::StatusOr<std::string> Get(const std::string& what, const std::string& accept, int64_t max_bytes) {
    HttpRequest request{.url = absl::StrCat(reference_.base_url(), "/v2/", reference_.repository, "/", what),
                        .headers = {{"Accept", accept}},
                        .max_body_bytes = max_bytes};
    HttpRequest authorised = request;
    Authorise(&authorised);
    ASSIGN_OR_RETURN(HttpResponse response, http_.Send(authorised));
    if (response.status == 401 && authorization_.empty()) {
      RETURN_IF_ERROR(AnswerChallenge(response.headers["www-authenticate"]));
      Authorise(&request);
      ASSIGN_OR_RETURN(response, http_.Send(request));
    }
    if (response.status == 307 || response.status == 302) {
      // Blobs may lie elsewhere, where the registry's token has no business.
      ASSIGN_OR_RETURN(response, http_.Send({.url = response.headers["location"], .max_body_bytes = max_bytes}));
    }
    if (response.status == 200) return std::move(response.body);
    absl::StatusCode code = absl::StatusCode::kUnavailable;
    if (response.status == 401 || response.status == 403) code = absl::StatusCode::kPermissionDenied;
    if (response.status == 404) code = absl::StatusCode::kNotFound;
    return absl::Status(code, absl::StrCat(request.url, ": HTTP status ", response.status));
  }

  void Authorise(HttpRequest* request) const {
    if (!authorization_.empty()) request->headers.emplace_back("Authorization", authorization_);
  }

  std::string Basic() const {
    return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(options_.user, ":", options_.password)));
  }

  absl::Status AnswerChallenge(const std::string& challenge) {
    const std::string url = OciTokenUrl(challenge);
    if (url.empty()) {
      if (options_.user.empty()) {
        return absl::PermissionDeniedError(absl::StrCat(reference_.registry, " asks for a user and a password"));
      }
      authorization_ = Basic();
      return absl::OkStatus();
    }
    HttpRequest request{.url = url, .max_body_bytes = kMaxManifestBytes};
    if (!options_.user.empty()) request.headers.emplace_back("Authorization", Basic());
    ASSIGN_OR_RETURN(const HttpResponse response, http_.Send(request));
    const nlohmann::json json = nlohmann::json::parse(response.body, nullptr, false);
    for (const char* key : {"token", "access_token"}) {
      if (!json.is_object() || !json.contains(key) || !json[key].is_string()) continue;
      authorization_ = absl::StrCat("Bearer ", json[key].get<std::string>());
      return absl::OkStatus();
    }
    return absl::PermissionDeniedError(absl::StrCat(url, ": no token, HTTP status ", response.status));
  }

  const OciReference reference_;
  const OciRegistryOptions options_;
  HttpClient http_;
  std::string authorization_;
};

}  // namespace

absl::StatusOr<OciReference> OciReference::Parse(std::string_view url) {
  absl::string_view rest(url.data(), url.size());
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat("'", rest, "' is not oci://REGISTRY/REPOSITORY[:TAG] or oci://REGISTRY/REPOSITORY@DIGEST"));
  if (!absl::ConsumePrefix(&rest, kScheme)) return wrong;
  const size_t slash = rest.find('/');
  if (slash == 0 || slash == absl::string_view::npos) return wrong;
  OciReference reference{.registry = std::string(rest.substr(0, slash)), .repository = {}, .tag = "latest"};
  rest.remove_prefix(slash + 1);
  const size_t end = rest.find_first_of("@:");
  reference.repository = std::string(rest.substr(0, end));
  if (end != absl::string_view::npos) reference.tag = std::string(rest.substr(end + 1));
  for (const char c : reference.repository + reference.tag) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains("./_-:", c)) return wrong;
  }
  if (reference.repository.empty() || reference.tag.empty()) return wrong;
  return reference;
}

std::string OciReference::base_url() const {
  const absl::string_view host = absl::string_view(registry).substr(0, registry.rfind(':'));
  const bool here = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
  return absl::StrCat(here ? "http://" : "https://", registry);
}

std::string OciTokenUrl(std::string_view challenge) {
  absl::string_view rest(challenge.data(), challenge.size());
  if (rest.size() < 7 || !absl::EqualsIgnoreCase(rest.substr(0, 7), "bearer ")) return "";
  rest.remove_prefix(7);
  std::map<std::string, std::string> values;
  while (true) {
    const size_t equals = rest.find("=\"");
    if (equals == absl::string_view::npos) break;
    const size_t end = rest.find('"', equals + 2);
    if (end == absl::string_view::npos) break;
    const std::string key(absl::StripLeadingAsciiWhitespace(absl::StripPrefix(rest.substr(0, equals), ",")));
    values[absl::AsciiStrToLower(key)] = std::string(rest.substr(equals + 2, end - equals - 2));
    rest.remove_prefix(end + 1);
  }
  if (values["realm"].empty()) return "";
  return absl::StrCat(values["realm"], absl::StrContains(values["realm"], '?') ? "&" : "?",
                      "service=", EscapeQuery(values["service"]), "&scope=", EscapeQuery(values["scope"]));
}

absl::StatusOr<OciArtifact> PullOciArtifact(const OciReference& reference, const OciRegistryOptions& options) {
  const auto puller = std::make_shared<Puller>(reference, options);
  ASSIGN_OR_RETURN(const std::string text, puller->Manifest());
  ASSIGN_OR_RETURN(OciManifest manifest, ParseOciManifest(text));
  return OciArtifact{.manifest = std::move(manifest),
                     .read_blob = [puller](const OciFile& blob) { return puller->Blob(blob); }};
}

}  // namespace ddsp
