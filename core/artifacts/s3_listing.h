// What a bucket answers, as XML: pages of its listing, and reasons of refusals.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/artifacts/object_store.h"

namespace ddsp {

struct S3ListingPage {
  std::vector<ObjectInfo> objects;
  std::string next_token;  // empty: this was the last page
};

// A ListBucketResult of ListObjectsV2. Errors: INTERNAL, when it is none.
absl::StatusOr<S3ListingPage> ParseS3Listing(std::string_view xml);

// Code and message of an Error document; empty when it is none.
std::string ParseS3Error(std::string_view xml);

}  // namespace ddsp
