// What is known of one model's versions, and what is to be done next: the decisions of loading and unloading, without
// the doing. Pure: no thread, no file, no voice.
//
//                 ask                     verified                   a newer one serves, or unloaded by name
//   kUnloaded ----------> kLoading ------------------> kReady -----------------------------------> kUnloading
//       ^                  |    ^                        ^                                          |    |
//       |           failed |    | asked again            +--------------- asked again -------------+    |
//       |                  v    |                                                                        |
//       |               kUnavailable                                                                     |
//       +------------------------------------- its last session has gone, and it was freed ------------+
//
// Availability comes first: a version that serves is put away only when somebody unloads it by name, when it is gone
// from the repository, or when everything that is wanted instead serves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/registry/version_policy.h"

namespace ddsp::server {

enum class VersionState { kUnloaded, kLoading, kReady, kUnloading, kUnavailable };

std::string_view NameOf(VersionState state);  // "READY"

struct VersionAction {
  // Retire and revive change what names mean and take no time; load and free do.
  enum class Kind { kRetire, kRevive, kLoad, kFree };
  Kind kind;
  int64_t version;

  bool operator==(const VersionAction&) const = default;
};

class ModelBook {
 public:
  struct Version {
    VersionState state = VersionState::kUnloaded;
    std::string reason;      // of kUnavailable: what is wrong
    bool published = false;  // in the repository
    bool asked = false;      // the policy may pick it
    bool pinned = false;     // named by somebody, beyond what the policy picks
    bool refused = false;    // unloaded by name, until it is asked for by name
    bool freeing = false;    // in kUnloading: it has begun
    int holds = 0;           // of who needs it for a moment
    int64_t loads = 0;       // that have ended
  };
  // Whether versions that are new here are asked for.
  enum class NewVersions { kAsk, kLeave };

  explicit ModelBook(VersionPolicy policy = {}) : policy_(std::move(policy)) {}

  // What the repository has. Versions that it has no more are forgotten as soon as they are not loaded.
  void Find(const std::set<int64_t>& published, const std::map<std::string, int64_t>& aliases, NewVersions fresh);
  // The policy may pick any version.
  void AskForAll();
  // Somebody wants this version, which is published: what failed is tried again, what was refused is wanted.
  void Ask(int64_t version);
  // Somebody wants it put away.
  void Refuse(int64_t version);
  // The policy, an alias or a hold keep it, or nobody.
  void Unpin(int64_t version) { versions_.at(version).pinned = false; }
  // It failed, and is another by now.
  void TryAgain(int64_t version);
  // Keeps it wanted meanwhile.
  void Hold(int64_t version) { ++versions_.at(version).holds; }
  void Unhold(int64_t version);

  // What takes no time and is to be done now.
  std::optional<VersionAction> NextQuick() const;
  // What takes time and is to be done now; `drained` tells of a version in kUnloading whether its last session has
  // gone. Memory is freed before more is taken, and newer versions come before older ones.
  std::optional<VersionAction> NextSlow(const std::function<bool(int64_t version)>& drained) const;
  // The action that was named last is done, or, where it takes time, has begun.
  void Take(const VersionAction& action);
  // A load has ended. Returns whether the version serves from now on: nobody has refused it meanwhile.
  bool LoadEnded(int64_t version, const absl::Status& status);
  void Freed(int64_t version);

  const std::map<int64_t, Version>& versions() const { return versions_; }
  // Null: not known.
  const Version* Find(int64_t version) const;
  // The newest that is published; 0: none.
  int64_t newest() const;
  // The newest that serves; 0: none.
  int64_t serving() const;
  std::set<int64_t> Wanted() const;

  // Where aliases point: to where the repository says once that version serves, and until then where they pointed.
  std::map<std::string, int64_t> Aliases() const;

 private:
  std::set<int64_t> Picked() const;
  void MoveAliases();
  void Forget();
  bool IsReady(int64_t version) const;

  VersionPolicy policy_;
  std::map<int64_t, Version> versions_;
  std::map<std::string, int64_t> published_aliases_, aliases_;
};

}  // namespace ddsp::server
