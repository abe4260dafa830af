#include "server/security/tenant_quotas.h"

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

absl::Status Exceeded(Reason reason, const std::string& tenant, int64_t limit, const char* what) {
  return MakeQuotaError(reason, absl::StrCat("tenant ", tenant, " has ", limit, " ", what, ", as many as it may"),
                        absl::StrCat("tenant:", tenant), {{"tenant", tenant}, {"limit", absl::StrCat(limit)}});
}

}  // namespace

TenantQuotas::Lease& TenantQuotas::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  quotas_ = std::exchange(other.quotas_, nullptr);
  Take(other);
  return *this;
}

void TenantQuotas::Lease::Release() {
  if (quotas_ != nullptr) std::exchange(quotas_, nullptr)->Return(tenant_, charge_);
}

absl::StatusOr<TenantQuotas::Lease> TenantQuotas::Take(const Principal& principal, Charge charge) {
  const int64_t limit = charge == Charge::kSession ? principal.limits.sessions
                        : charge == Charge::kCall  ? principal.limits.calls
                                                   : 0;
  if (limit == 0) return Lease();
  const MutexLock lock(&mu_);
  int64_t& out = out_[{principal.tenant, charge}];
  if (out >= limit) {
    return charge == Charge::kSession
               ? Exceeded(Reason::kSessionQuotaExceeded, principal.tenant, limit, "live sessions")
               : Exceeded(Reason::kCallQuotaExceeded, principal.tenant, limit, "calls under way");
  }
  ++out;
  return Lease(this, principal.tenant, charge);
}

void TenantQuotas::Return(const std::string& tenant, Charge charge) {
  const MutexLock lock(&mu_);
  const auto found = out_.find({tenant, charge});
  if (found != out_.end() && --found->second == 0) out_.erase(found);
}

int64_t TenantQuotas::Out(const std::string& tenant, Charge charge) const {
  const MutexLock lock(&mu_);
  const auto found = out_.find({tenant, charge});
  return found == out_.end() ? 0 : found->second;
}

}  // namespace ddsp::server
