// Which of a model's published versions a server keeps loaded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::server {

struct VersionPolicy {
  enum class Kind { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  int64_t latest = 1;          // kLatest: so many of the newest
  std::set<int64_t> specific;  // kSpecific

  // Those of `versions` that are kept.
  std::set<int64_t> Pick(const std::set<int64_t>& versions) const;
};

// "latest", "latest:2", "all" or "specific:1,3". Errors: INVALID_ARGUMENT.
absl::StatusOr<VersionPolicy> ParseVersionPolicy(std::string_view text);

struct VersionPolicies {
  VersionPolicy others;  // of models that are not named
  std::map<std::string, VersionPolicy> of_model;

  const VersionPolicy& For(const std::string& model) const;
};

// Each "POLICY" or "MODEL=POLICY"; a later one replaces an earlier one. Errors: INVALID_ARGUMENT.
absl::StatusOr<VersionPolicies> ParseVersionPolicies(const std::vector<std::string>& texts);

}  // namespace ddsp::server
