#include "server/security/principal.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace ddsp::server {
namespace {

constexpr std::string_view kNames[] = {"stream", "publish", "admin"};
constexpr size_t kMaxTenantName = 63;

}  // namespace

std::string_view NameOf(Role role) { return kNames[static_cast<size_t>(role)]; }

std::optional<Role> RoleNamed(std::string_view name) {
  for (const Role role : {Role::kStream, Role::kPublish, Role::kAdmin}) {
    if (NameOf(role) == name) return role;
  }
  return std::nullopt;
}

RoleSet RoleSet::All() {
  RoleSet all;
  for (const Role role : {Role::kStream, Role::kPublish, Role::kAdmin}) all.Add(role);
  return all;
}

Principal Anybody() { return {.tenant = "", .roles = RoleSet::All(), .limits = {}}; }

bool IsTenantName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTenantName && absl::ascii_islower(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; });
}

}  // namespace ddsp::server
