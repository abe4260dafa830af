#include "core/artifacts/s3_store.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "core/artifacts/s3_listing.h"
#include "core/artifacts/url_escape.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

constexpr absl::string_view kScheme = "s3://";
constexpr char kDefaultRegion[] = "us-east-1";

std::string FirstOf(const S3Store::Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = environment(name); value != nullptr && *value != 0) return value;
  }
  return "";
}

}  // namespace

bool IsS3Url(std::string_view url) { return absl::StartsWith(absl::string_view(url.data(), url.size()), kScheme); }

absl::StatusOr<S3Store::Options> S3Store::ReadOptions(std::string_view url, const Environment& environment) {
  absl::string_view rest(url.data(), url.size());
  if (!absl::ConsumePrefix(&rest, kScheme) || rest.empty() || rest.front() == '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::string_view(url.data(), url.size()), "' is not s3://BUCKET or s3://BUCKET/PREFIX"));
  }
  const size_t slash = rest.find('/');
  Options options;
  options.bucket = std::string(rest.substr(0, slash));
  if (slash != absl::string_view::npos) {
    options.prefix = std::string(absl::StripSuffix(rest.substr(slash + 1), "/"));
  }
  options.endpoint = FirstOf(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  options.endpoint = std::string(absl::StripSuffix(options.endpoint, "/"));
  options.ca_file = FirstOf(environment, {"AWS_CA_BUNDLE"});
  AwsCredentials& credentials = options.credentials;
  credentials.region = FirstOf(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (credentials.region.empty()) credentials.region = kDefaultRegion;
  credentials.access_key_id = FirstOf(environment, {"AWS_ACCESS_KEY_ID"});
  credentials.secret_access_key = FirstOf(environment, {"AWS_SECRET_ACCESS_KEY"});
  credentials.session_token = FirstOf(environment, {"AWS_SESSION_TOKEN"});
  if (credentials.access_key_id.empty() != credentials.secret_access_key.empty()) {
    return absl::InvalidArgumentError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; one is not set");
  }
  return options;
}

absl::StatusOr<std::unique_ptr<S3Store>> S3Store::Open(std::string_view url) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(url, [](const char* name) { return std::getenv(name); }));
  return std::make_unique<S3Store>(std::move(options));
}

S3Store::S3Store(Options options) : options_(std::move(options)), http_({.ca_file = options_.ca_file}) {}

std::string S3Store::name() const {
  return absl::StrCat(kScheme, options_.bucket, options_.prefix.empty() ? "" : "/", options_.prefix);
}

std::string S3Store::BucketUrl() const {
  if (!options_.endpoint.empty()) return absl::StrCat(options_.endpoint, "/", EscapePath(options_.bucket));
  return absl::StrCat("https://", options_.bucket, ".s3.", options_.credentials.region, ".amazonaws.com");
}

std::string S3Store::FullKey(const std::string& key) const {
  return options_.prefix.empty() ? key : absl::StrCat(options_.prefix, "/", key);
}

absl::StatusOr<HttpResponse> S3Store::Send(HttpRequest request) {
  if (!options_.credentials.access_key_id.empty()) {
    const AwsRequest asked{.method = request.method, .url = request.url, .headers = {}, .body = request.body};
    for (auto& [name, value] : SignForS3(asked, options_.credentials, absl::Now())) {
      request.headers.emplace_back(name, value);
    }
  }
  return http_.Send(request);
}

absl::Status S3Store::ErrorOf(const HttpResponse& response, const std::string& what) const {
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  if (response.status == 401 || response.status == 403) code = absl::StatusCode::kPermissionDenied;
  if (response.status == 404) code = absl::StatusCode::kNotFound;
  if (response.status == 409 || response.status == 412) code = absl::StatusCode::kAlreadyExists;
  std::string reason = ParseS3Error(response.body);
  if (reason.empty()) reason = absl::StrCat("HTTP status ", response.status);
  return absl::Status(code, absl::StrCat(name(), ": ", what, ": ", reason));
}

absl::StatusOr<std::vector<ObjectInfo>> S3Store::List(const std::string& prefix) {
  std::vector<ObjectInfo> objects;
  const std::string below = FullKey("");
  std::string token;
  do {
    // Parameters in the order of their names, as the signature wants them.
    HttpRequest request{
        .url = absl::StrCat(BucketUrl(), "/?", token.empty() ? "" : "continuation-token=", EscapeQuery(token),
                            token.empty() ? "" : "&", "list-type=2&prefix=", EscapeQuery(FullKey(prefix)))};
    ASSIGN_OR_RETURN(const HttpResponse response, Send(std::move(request)));
    if (response.status != 200) return ErrorOf(response, "cannot list");
    ASSIGN_OR_RETURN(S3ListingPage page, ParseS3Listing(response.body));
    for (ObjectInfo& object : page.objects) {
      if (!absl::StartsWith(object.key, below)) continue;
      object.key.erase(0, below.size());
      objects.push_back(std::move(object));
    }
    token = std::move(page.next_token);
  } while (!token.empty());
  return objects;
}

absl::StatusOr<std::string> S3Store::Get(const std::string& key) {
  ASSIGN_OR_RETURN(HttpResponse response, Send({.url = absl::StrCat(BucketUrl(), "/", EscapePath(FullKey(key)))}));
  if (response.status != 200) return ErrorOf(response, absl::StrCat("cannot read ", key));
  return std::move(response.body);
}

absl::Status S3Store::Write(const std::string& key, const std::string& content, Put put) {
  HttpRequest request{
      .method = "PUT", .url = absl::StrCat(BucketUrl(), "/", EscapePath(FullKey(key))), .body = content};
  if (put == Put::kNew) request.headers.emplace_back("If-None-Match", "*");
  ASSIGN_OR_RETURN(const HttpResponse response, Send(std::move(request)));
  return response.status == 200 ? absl::OkStatus() : ErrorOf(response, absl::StrCat("cannot write ", key));
}

}  // namespace ddsp
