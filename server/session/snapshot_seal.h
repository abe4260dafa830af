// Signs the state of sessions for clients to keep, and opens what they bring back.
//
// A sealed state is "DDSP", a byte for its form, HMAC-SHA256 of all the rest under a key that the replicas of a service
// share, and a v1::SessionState. It is signed, not secret: it holds what the client itself has sent and heard.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "ddsp/v1/session_state.pb.h"

namespace ddsp::server {

// Immutable, hence thread-safe.
class SnapshotSeal {
 public:
  struct Options {
    // The first one signs, all of them are believed: keys change by adding one everywhere before it is the first.
    std::vector<std::string> keys;
    // After so long a state is not opened any more.
    absl::Duration lifetime = absl::Seconds(60);
  };
  // Without a key: a random one, so that only this process opens what it sealed. `time_of_day` outlives the seal.
  SnapshotSeal(Options options, const Clock& time_of_day);

  absl::Duration lifetime() const { return options_.lifetime; }
  // Of what is sealed now, by the time of day.
  absl::Time ValidUntil() const { return time_of_day_.Now() + options_.lifetime; }

  // Notes the time in `state`.
  std::string Seal(v1::SessionState& state) const;
  // Errors: SNAPSHOT_INVALID (not sealed with one of the keys, cut short, too old), STATE_LOST (of a form that is not
  // known here).
  absl::StatusOr<v1::SessionState> Open(absl::string_view sealed) const;

 private:
  const Options options_;
  const Clock& time_of_day_;
};

// The lines of a file, 32 bytes or more each. Errors: those of reading; INVALID_ARGUMENT that names the line, never its
// contents.
absl::StatusOr<std::vector<std::string>> ReadSessionKeys(const std::string& path);

}  // namespace ddsp::server
