// The file of --auth-keys (proto/ddsp/v1/access.proto), read and checked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/security/principal.h"

namespace ddsp::server {

class AccessTable {
 public:
  // Knows nobody; tenants have `defaults`.
  explicit AccessTable(const TenantLimits& defaults = {}) : defaults_(defaults) {}
  // Errors: INVALID_ARGUMENT with everything that is wrong, each with its line ("keys.textproto:3: ...") or its key.
  static absl::StatusOr<AccessTable> Parse(const std::string& text, const std::string& file,
                                           const TenantLimits& defaults);

  struct Known {
    Principal principal;
    absl::Time expires = absl::InfiniteFuture();
  };
  // Null: nobody has this key. Takes the same time for every key.
  const Known* FindKey(std::string_view key) const;
  // The first certificate of the file with one of the names; null: none.
  const Known* FindCertificate(const std::vector<std::string>& names) const;
  TenantLimits LimitsOf(const std::string& tenant) const;

  size_t keys() const { return keys_.size(); }

 private:
  struct Key {
    std::string hash;
    Known known;
  };

  TenantLimits defaults_;
  std::vector<Key> keys_;
  std::map<std::string, Known> certificates_;  // by name
  std::map<std::string, TenantLimits> tenants_;
};

}  // namespace ddsp::server
