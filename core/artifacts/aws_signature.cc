#include "core/artifacts/aws_signature.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"

namespace ddsp {
namespace {

struct UrlParts {
  std::string host, path, query;
};

UrlParts SplitUrl(const std::string& url) {
  const size_t host = url.find("://") + 3;
  const size_t path = std::min(url.find('/', host), url.size());
  const size_t query = std::min(url.find('?', path), url.size());
  return {.host = url.substr(host, path - host),
          .path = path == query ? "/" : url.substr(path, query - path),
          .query = query == url.size() ? "" : url.substr(query + 1)};
}

}  // namespace

std::map<std::string, std::string> SignForS3(const AwsRequest& request, const AwsCredentials& credentials,
                                             absl::Time now) {
  const std::string time = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const std::string body_hash = Sha256Hex(request.body);
  std::map<std::string, std::string> added = {{"x-amz-content-sha256", body_hash}, {"x-amz-date", time}};
  if (!credentials.session_token.empty()) added["x-amz-security-token"] = credentials.session_token;

  const UrlParts url = SplitUrl(request.url);
  std::map<std::string, std::string> headers = request.headers;
  headers.insert(added.begin(), added.end());
  headers["host"] = url.host;
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    absl::StrAppend(&lines, name, ":", value, "\n");
    names.push_back(name);
  }
  const std::string signed_names = absl::StrJoin(names, ";");
  const std::string canonical =
      absl::StrJoin({request.method, url.path, url.query, lines, signed_names, body_hash}, "\n");

  const std::string day = time.substr(0, 8);
  const std::string scope =
      absl::StrJoin({day, credentials.region, std::string("s3"), std::string("aws4_request")}, "/");
  const std::string text = absl::StrJoin({std::string("AWS4-HMAC-SHA256"), time, scope, Sha256Hex(canonical)}, "\n");
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string& part : {day, credentials.region, std::string("s3"), std::string("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  added["authorization"] =
      absl::StrCat("AWS4-HMAC-SHA256 Credential=", credentials.access_key_id, "/", scope,
                   ",SignedHeaders=", signed_names, ",Signature=", absl::BytesToHexString(HmacSha256(key, text)));
  return added;
}

}  // namespace ddsp
