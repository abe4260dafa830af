// Objects in Amazon S3 or in what speaks its protocol (MinIO, Ceph, R2), by signed HTTP requests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/artifacts/aws_signature.h"
#include "core/artifacts/http_client.h"
#include "core/artifacts/object_store.h"

namespace ddsp {

// "s3://bucket/prefix".
bool IsS3Url(std::string_view url);

class S3Store : public ObjectStore {
 public:
  struct Options {
    std::string bucket, prefix;  // keys of this store are below the prefix
    // "https://s3.example.org:9000": requests name the bucket in their path there. Empty: Amazon's, of the region.
    std::string endpoint;
    AwsCredentials credentials;  // without a key: requests are not signed, for public buckets
    std::string ca_file;
  };
  using Environment = std::function<const char*(const char* name)>;

  // What is not in the URL comes from the variables that other tools read too: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL,
  // AWS_REGION or AWS_DEFAULT_REGION (us-east-1), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
  // AWS_CA_BUNDLE. Errors: INVALID_ARGUMENT (no such form of a URL; a key without its secret).
  static absl::StatusOr<Options> ReadOptions(std::string_view url, const Environment& environment);
  // With the environment of this process.
  static absl::StatusOr<std::unique_ptr<S3Store>> Open(std::string_view url);

  explicit S3Store(Options options);

  std::string name() const override;
  absl::StatusOr<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  absl::StatusOr<std::string> Get(const std::string& key) override;
  absl::Status Write(const std::string& key, const std::string& content, Put put) override;

 private:
  std::string BucketUrl() const;
  std::string FullKey(const std::string& key) const;
  absl::StatusOr<HttpResponse> Send(HttpRequest request);
  absl::Status ErrorOf(const HttpResponse& response, const std::string& what) const;

  const Options options_;
  HttpClient http_;
};

}  // namespace ddsp
