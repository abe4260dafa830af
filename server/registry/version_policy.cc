#include "server/registry/version_policy.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/models/voice_name.h"

namespace ddsp::server {

std::set<int64_t> VersionPolicy::Pick(const std::set<int64_t>& versions) const {
  std::set<int64_t> picked;
  switch (kind) {
    case Kind::kAll:
      return versions;
    case Kind::kLatest: {
      const auto count = std::min<int64_t>(latest, static_cast<int64_t>(versions.size()));
      return std::set<int64_t>(std::prev(versions.end(), count), versions.end());
    }
    case Kind::kSpecific:
      std::set_intersection(versions.begin(), versions.end(), specific.begin(), specific.end(),
                            std::inserter(picked, picked.end()));
      break;
  }
  return picked;
}

absl::StatusOr<VersionPolicy> ParseVersionPolicy(std::string_view text) {
  const std::string asked(text);
  const std::vector<std::string> parts = absl::StrSplit(asked, absl::MaxSplits(':', 1));
  const auto invalid = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("'", asked, "' is no version policy; expected latest, latest:N, all, or specific:N,M"));
  };
  VersionPolicy policy;
  if (asked == "latest") return policy;
  if (asked == "all") return VersionPolicy{.kind = VersionPolicy::Kind::kAll};
  if (parts.size() < 2) return invalid();
  if (parts[0] == "latest") {
    if (!absl::SimpleAtoi(parts[1], &policy.latest) || policy.latest < 1) return invalid();
    return policy;
  }
  if (parts[0] != "specific") return invalid();
  policy.kind = VersionPolicy::Kind::kSpecific;
  for (const auto& number : absl::StrSplit(parts[1], ',')) {
    int64_t version = 0;
    if (!absl::SimpleAtoi(number, &version) || version < 1) return invalid();
    policy.specific.insert(version);
  }
  return policy;
}

const VersionPolicy& VersionPolicies::For(const std::string& model) const {
  const auto found = of_model.find(model);
  return found == of_model.end() ? others : found->second;
}

absl::StatusOr<VersionPolicies> ParseVersionPolicies(const std::vector<std::string>& texts) {
  VersionPolicies policies;
  for (const std::string& text : texts) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    if (parts.size() == 2 && !IsVoiceName(parts[0])) {
      return absl::InvalidArgumentError(absl::StrCat("'", parts[0], "' is no model name"));
    }
    ASSIGN_OR_RETURN(const VersionPolicy policy, ParseVersionPolicy(parts.back()));
    (parts.size() == 2 ? policies.of_model[parts[0]] : policies.others) = policy;
  }
  return policies;
}

}  // namespace ddsp::server
