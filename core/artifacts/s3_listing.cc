#include "core/artifacts/s3_listing.h"

#include <pugixml.hpp>

#include "absl/strings/str_cat.h"

namespace ddsp {

absl::StatusOr<S3ListingPage> ParseS3Listing(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!parsed || !root) {
    return absl::InternalError(
        absl::StrCat("the answer is no listing of a bucket", parsed ? "" : ": ", parsed ? "" : parsed.description()));
  }
  S3ListingPage page;
  for (const pugi::xml_node object : root.children("Contents")) {
    page.objects.push_back({.key = object.child_value("Key"), .etag = object.child_value("ETag")});
  }
  if (std::string_view(root.child_value("IsTruncated")) == "true") {
    page.next_token = root.child_value("NextContinuationToken");
    if (page.next_token.empty()) return absl::InternalError("a bucket's listing goes on, but does not say where");
  }
  return page;
}

std::string ParseS3Error(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return "";
  const pugi::xml_node error = document.child("Error");
  if (!error) return "";
  return absl::StrCat(error.child_value("Code"), ": ", error.child_value("Message"));
}

}  // namespace ddsp
