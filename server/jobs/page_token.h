#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "server/jobs/job_filter.h"

namespace ddsp::server {

// The last job of a page: the next page holds what was created before it.
struct PagePosition {
  int64_t create_us = INT64_MAX;
  std::string id;
};

// Text that stands for a place in the list with this filter, and in no other list.
std::string MakePageToken(const PagePosition& position, const JobFilter& filter);
// An empty token is the start of the list. Errors: INVALID_JOB_REQUEST.
absl::StatusOr<PagePosition> ReadPageToken(const std::string& token, const JobFilter& filter);

}  // namespace ddsp::server
