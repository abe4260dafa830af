// Every call passes it first: who calls, whether they may, and whether they have not enough already. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/security/authorizer.h"
#include "server/security/security_options.h"
#include "server/security/tenant_quotas.h"
#include "server/security/watched_files.h"

namespace ddsp::server {

// Held by a call while it lives.
struct Pass {
  Principal caller;
  TenantQuotas::Lease lease;
};

class Gate {
 public:
  struct Surroundings {
    const Clock* time_of_day = nullptr;  // outlives the gate
    // Told in one line of keys that were read anew, or not; never holds a key.
    std::function<void(const std::string&)> say = [](const std::string&) {};
    // Told the reason of each refusal.
    std::function<void(std::string_view)> on_refused = [](std::string_view) {};
  };
  // Reads the files of the options. Errors name the flag. Where they ask for no token, the gate is open to anybody.
  static absl::StatusOr<std::unique_ptr<Gate>> Open(const SecurityOptions& options, Surroundings surroundings);

  // Errors: those of Authorizer::Authorize() and TenantQuotas::Take().
  absl::StatusOr<Pass> Admit(std::string_view method, const Credentials& credentials);
  // For a call that was let in and comes to do more than one: one more of what a quota counts. Errors: those of
  // TenantQuotas::Take().
  absl::StatusOr<TenantQuotas::Lease> Take(const Principal& caller, Charge charge);
  // Whether credentials are looked at.
  bool is_open() const { return !options_.authenticates(); }

  // Reads the files again where they have changed, or in any case. What is wrong with them is said, and the keys stay
  // as they were. Calls that were admitted go on.
  enum class Reload { kWhereChanged, kNow };
  void Refresh(Reload reload);

 private:
  Gate(const SecurityOptions& options, Surroundings surroundings)
      : options_(options), surroundings_(std::move(surroundings)), files_({options.keys_file, options.jwt.keys_file}) {}
  absl::Status Read();
  std::shared_ptr<const Authorizer> authorizer() const;

  const SecurityOptions options_;
  const Surroundings surroundings_;
  TenantQuotas quotas_;
  // One reading at a time, so that the last to be believed is the newest. Taken before mu_.
  Mutex reading_mu_;
  WatchedFiles files_ ABSL_GUARDED_BY(reading_mu_);
  mutable Mutex mu_;
  std::shared_ptr<const Authorizer> authorizer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
