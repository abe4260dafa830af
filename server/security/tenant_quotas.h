// How much each tenant has at once. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "server/security/method_roles.h"
#include "server/security/principal.h"

namespace ddsp::server {

class TenantQuotas {
 public:
  // Counts until it is destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : quotas_(std::exchange(other.quotas_, nullptr)) { Take(other); }
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { Release(); }

   private:
    friend class TenantQuotas;
    Lease(TenantQuotas* quotas, std::string tenant, Charge charge)
        : quotas_(quotas), tenant_(std::move(tenant)), charge_(charge) {}
    void Take(Lease& other) {
      tenant_ = std::move(other.tenant_);
      charge_ = other.charge_;
    }
    void Release();

    TenantQuotas* quotas_ = nullptr;  // null: counts nothing
    std::string tenant_;
    Charge charge_ = Charge::kNothing;
  };

  // Outlives its leases. Errors: SESSION_QUOTA_EXCEEDED, CALL_QUOTA_EXCEEDED.
  absl::StatusOr<Lease> Take(const Principal& principal, Charge charge);

  // Leases of a tenant that are out.
  int64_t Out(const std::string& tenant, Charge charge) const;

 private:
  using Key = std::pair<std::string, Charge>;
  void Return(const std::string& tenant, Charge charge);

  mutable Mutex mu_;
  std::map<Key, int64_t> out_ ABSL_GUARDED_BY(mu_);  // without those of which none are
};

}  // namespace ddsp::server
