#include "server/security/gate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

absl::Status At(const char* flag, const std::string& file, const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat(flag, " '", file, "': ", error.message()));
}

absl::StatusOr<AccessTable> ReadTable(const SecurityOptions& options) {
  if (options.keys_file.empty()) return AccessTable(options.tenant_defaults);
  const absl::StatusOr<std::string> text = ReadFile(options.keys_file);
  if (!text.ok()) return At("--auth-keys", options.keys_file, text.status());
  return AccessTable::Parse(*text, options.keys_file, options.tenant_defaults);
}

absl::StatusOr<std::shared_ptr<const Authorizer>> ReadAuthorizer(const SecurityOptions& options) {
  ASSIGN_OR_RETURN(AccessTable table, ReadTable(options));
  if (options.jwt.keys_file.empty()) return std::make_shared<const Authorizer>(std::move(table));
  const absl::StatusOr<std::string> text = ReadFile(options.jwt.keys_file);
  if (!text.ok()) return At("--auth-jwt-keys", options.jwt.keys_file, text.status());
  absl::StatusOr<JwtVerifier> jwt = JwtVerifier::Create(options.jwt, *text);
  if (!jwt.ok()) return At("--auth-jwt-keys", options.jwt.keys_file, jwt.status());
  return std::make_shared<const Authorizer>(std::move(table), *std::move(jwt));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gate>> Gate::Open(const SecurityOptions& options, Surroundings surroundings) {
  auto gate = std::unique_ptr<Gate>(new Gate(options, std::move(surroundings)));
  RETURN_IF_ERROR(gate->Read());
  return gate;
}

absl::Status Gate::Read() {
  ASSIGN_OR_RETURN(std::shared_ptr<const Authorizer> authorizer, ReadAuthorizer(options_));
  const MutexLock lock(&mu_);
  authorizer_ = std::move(authorizer);
  return absl::OkStatus();
}

std::shared_ptr<const Authorizer> Gate::authorizer() const {
  const MutexLock lock(&mu_);
  return authorizer_;
}

absl::StatusOr<TenantQuotas::Lease> Gate::Take(const Principal& caller, Charge charge) {
  absl::StatusOr<TenantQuotas::Lease> lease = quotas_.Take(caller, charge);
  if (!lease.ok()) surroundings_.on_refused(ReasonOf(lease.status()));
  return lease;
}

absl::StatusOr<Pass> Gate::Admit(std::string_view method, const Credentials& credentials) {
  if (is_open()) return Pass{.caller = Anybody()};
  const auto refuse = [this](absl::Status error) {
    surroundings_.on_refused(ReasonOf(error));
    return error;
  };
  absl::StatusOr<Principal> caller = authorizer()->Authorize(method, credentials, surroundings_.time_of_day->Now());
  if (!caller.ok()) return refuse(caller.status());
  ASSIGN_OR_RETURN(TenantQuotas::Lease lease, Take(*caller, FindMethod(method)->charge));
  return Pass{.caller = *std::move(caller), .lease = std::move(lease)};
}

void Gate::Refresh(Reload reload) {
  if (is_open()) return;
  const MutexLock one_at_a_time(&reading_mu_);
  if (!files_.Changed() && reload == Reload::kWhereChanged) return;
  const absl::Status read = Read();
  if (!read.ok()) return surroundings_.say(absl::StrCat("keys stay as they were: ", read.message()));
  surroundings_.say("keys were read anew");
}

}  // namespace ddsp::server
