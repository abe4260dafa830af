// AWS Signature Version 4, as S3 wants it: who asks is proven by what is asked.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"

namespace ddsp {

struct AwsCredentials {
  std::string access_key_id, secret_access_key;
  std::string session_token;  // empty: none
  std::string region;
};

struct AwsRequest {
  std::string method = "GET";
  std::string url;                             // percent-encoded; parameters in the order of their names
  std::map<std::string, std::string> headers;  // names in lower case; those that are to be signed
  std::string body;
};

// Headers to send along: Authorization, and what it speaks for besides request.headers and Host.
std::map<std::string, std::string> SignForS3(const AwsRequest& request, const AwsCredentials& credentials,
                                             absl::Time now);

}  // namespace ddsp
