// Who calls, and what they may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ddsp::server {

// What a token is good for. None implies another.
enum class Role : uint8_t { kStream, kPublish, kAdmin };

std::string_view NameOf(Role role);  // "stream"
std::optional<Role> RoleNamed(std::string_view name);

class RoleSet {
 public:
  static RoleSet All();
  void Add(Role role) { bits_ |= Bit(role); }
  bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  bool empty() const { return bits_ == 0; }
  bool operator==(const RoleSet&) const = default;

 private:
  static uint8_t Bit(Role role) { return static_cast<uint8_t>(1u << static_cast<uint8_t>(role)); }
  uint8_t bits_ = 0;
};

// What one tenant may have at once; 0: any number.
struct TenantLimits {
  int64_t sessions = 0;     // live sessions and renderings
  int64_t queued_jobs = 0;  // jobs that wait for a worker
  int64_t calls = 0;        // other calls that are being answered
  bool operator==(const TenantLimits&) const = default;
};

struct Principal {
  std::string tenant;  // empty: a server that asks nobody who they are
  RoleSet roles;
  TenantLimits limits;
};

// The caller of a server without tokens: may do everything.
Principal Anybody();

// [a-z][a-z0-9-]{0,62}, as names of models.
bool IsTenantName(std::string_view name);

}  // namespace ddsp::server
