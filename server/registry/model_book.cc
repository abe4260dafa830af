#include "server/registry/model_book.h"

#include <algorithm>

#include "core/base/check.h"

namespace ddsp::server {

std::string_view NameOf(VersionState state) {
  switch (state) {
    case VersionState::kUnloaded:
      return "UNLOADED";
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kReady:
      return "READY";
    case VersionState::kUnloading:
      return "UNLOADING";
    case VersionState::kUnavailable:
      return "UNAVAILABLE";
  }
  return "";
}

void ModelBook::Find(const std::set<int64_t>& published, const std::map<std::string, int64_t>& aliases,
                     NewVersions fresh) {
  for (const int64_t version : published) {
    const bool is_new = versions_.count(version) == 0;
    Version& found = versions_[version];
    found.published = true;
    if (is_new && fresh == NewVersions::kAsk) found.asked = true;
  }
  for (auto& [number, version] : versions_) {
    if (published.count(number) == 0) version.published = version.pinned = version.asked = false;
  }
  published_aliases_ = aliases;
  MoveAliases();
  Forget();
}

void ModelBook::AskForAll() {
  for (auto& [number, version] : versions_) version.asked = version.published;
}

void ModelBook::Ask(int64_t number) {
  Version& version = versions_.at(number);
  version.asked = true;
  version.refused = false;
  TryAgain(number);
  if (Picked().count(number) == 0) version.pinned = true;
}

void ModelBook::Refuse(int64_t number) {
  Version& version = versions_.at(number);
  version.refused = true;
  version.pinned = false;
  TryAgain(number);
}

void ModelBook::TryAgain(int64_t number) {
  Version& version = versions_.at(number);
  if (version.state != VersionState::kUnavailable) return;
  version.state = VersionState::kUnloaded;
  version.reason.clear();
}

void ModelBook::Unhold(int64_t version) {
  const auto held = versions_.find(version);
  if (held != versions_.end()) --held->second.holds;
  Forget();
}

// What failed makes way for the next best; what was refused does not: nothing is loaded because of an unloading.
std::set<int64_t> ModelBook::Picked() const {
  std::set<int64_t> candidates;
  for (const auto& [number, version] : versions_) {
    if (version.published && version.asked && version.state != VersionState::kUnavailable) candidates.insert(number);
  }
  return policy_.Pick(candidates);
}

std::set<int64_t> ModelBook::Wanted() const {
  std::set<int64_t> wanted = Picked();
  bool any_asked = false;
  for (const auto& [number, version] : versions_) {
    any_asked |= version.asked;
    if (version.pinned || version.holds > 0) wanted.insert(number);
  }
  for (const auto* aliases : {&published_aliases_, &aliases_}) {
    for (const auto& [alias, number] : *aliases) {
      if (any_asked) wanted.insert(number);
    }
  }
  for (auto number = wanted.begin(); number != wanted.end();) {
    const Version* version = Find(*number);
    const bool can =
        version != nullptr && version->published && !version->refused && version->state != VersionState::kUnavailable;
    number = can ? std::next(number) : wanted.erase(number);
  }
  return wanted;
}

std::optional<VersionAction> ModelBook::NextQuick() const {
  const std::set<int64_t> wanted = Wanted();
  const bool all_serve =
      !wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [this](int64_t number) { return IsReady(number); });
  for (const auto& [number, version] : versions_) {
    const bool is_wanted = wanted.count(number) > 0;
    if (version.state == VersionState::kUnloading && is_wanted && !version.freeing) {
      return VersionAction{VersionAction::Kind::kRevive, number};
    }
    if (version.state != VersionState::kReady) continue;
    if (version.refused || !version.published || (!is_wanted && all_serve)) {
      return VersionAction{VersionAction::Kind::kRetire, number};
    }
  }
  return std::nullopt;
}

std::optional<VersionAction> ModelBook::NextSlow(const std::function<bool(int64_t)>& drained) const {
  const std::set<int64_t> wanted = Wanted();
  for (const auto& [number, version] : versions_) {
    if (version.state == VersionState::kUnloading && !version.freeing && wanted.count(number) == 0 && drained(number)) {
      return VersionAction{VersionAction::Kind::kFree, number};
    }
  }
  for (auto number = wanted.rbegin(); number != wanted.rend(); ++number) {
    if (versions_.at(*number).state == VersionState::kUnloaded) {
      return VersionAction{VersionAction::Kind::kLoad, *number};
    }
  }
  return std::nullopt;
}

void ModelBook::Take(const VersionAction& action) {
  Version& version = versions_.at(action.version);
  const auto move = [&](VersionState from, VersionState to) {
    DDSP_CHECK(version.state == from, "an action is taken right after it was named");
    version.state = to;
  };
  switch (action.kind) {
    case VersionAction::Kind::kRetire:
      move(VersionState::kReady, VersionState::kUnloading);
      break;
    case VersionAction::Kind::kRevive:
      move(VersionState::kUnloading, VersionState::kReady);
      break;
    case VersionAction::Kind::kLoad:
      move(VersionState::kUnloaded, VersionState::kLoading);
      break;
    case VersionAction::Kind::kFree:
      version.freeing = true;
      break;
  }
  MoveAliases();
}

bool ModelBook::LoadEnded(int64_t number, const absl::Status& status) {
  Version& version = versions_.at(number);
  ++version.loads;
  const bool is_welcome = version.published && !version.refused;
  if (!is_welcome) {
    version.state = VersionState::kUnloaded;
  } else if (status.ok()) {
    version.state = VersionState::kReady;
  } else {
    version.state = VersionState::kUnavailable;
    version.reason = std::string(status.message());
  }
  MoveAliases();
  Forget();
  return is_welcome && status.ok();
}

void ModelBook::Freed(int64_t number) {
  Version& version = versions_.at(number);
  version.state = VersionState::kUnloaded;
  version.freeing = false;
  Forget();
}

const ModelBook::Version* ModelBook::Find(int64_t version) const {
  const auto found = versions_.find(version);
  return found == versions_.end() ? nullptr : &found->second;
}

int64_t ModelBook::newest() const {
  int64_t newest = 0;
  for (const auto& [number, version] : versions_) {
    if (version.published) newest = number;
  }
  return newest;
}

int64_t ModelBook::serving() const {
  int64_t serving = 0;
  for (const auto& [number, version] : versions_) {
    if (version.state == VersionState::kReady) serving = number;
  }
  return serving;
}

std::map<std::string, int64_t> ModelBook::Aliases() const {
  std::map<std::string, int64_t> aliases = aliases_;
  aliases.insert(published_aliases_.begin(), published_aliases_.end());
  return aliases;
}

void ModelBook::MoveAliases() {
  for (auto alias = aliases_.begin(); alias != aliases_.end();) {
    alias = published_aliases_.count(alias->first) > 0 ? std::next(alias) : aliases_.erase(alias);
  }
  for (const auto& [alias, number] : published_aliases_) {
    if (IsReady(number)) aliases_[alias] = number;
  }
}

// Of what the repository has no more: unless it is loaded.
void ModelBook::Forget() {
  for (auto version = versions_.begin(); version != versions_.end();) {
    const Version& known = version->second;
    const bool is_here = known.state != VersionState::kUnloaded && known.state != VersionState::kUnavailable;
    version = known.published || is_here || known.holds > 0 ? std::next(version) : versions_.erase(version);
  }
}

bool ModelBook::IsReady(int64_t version) const {
  const Version* found = Find(version);
  return found != nullptr && found->state == VersionState::kReady;
}

}  // namespace ddsp::server
