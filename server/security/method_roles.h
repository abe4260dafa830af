// Which role each method of the server asks for, and what a call of it counts as. One row for each method; what has no
// row is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/security/principal.h"

namespace ddsp::server {

// Whom a method serves.
enum class Access {
  kAnyRole,  // whoever has a valid token
  kStream,
  kPublish,
  kAdmin,
};

// Which quota of the tenant a call takes from while it lives.
enum class Charge {
  kNothing,  // waits most of the time: watching jobs, models, health
  kSession,
  kCall,
};

struct MethodRow {
  std::string_view name;  // "/ddsp.v1.Synthesis/StreamSession"
  Access access = Access::kAdmin;
  Charge charge = Charge::kCall;
};

// Null: there is none.
const MethodRow* FindMethod(std::string_view name);

// FAILED_PRECONDITION that names the methods without a row.
absl::Status CheckMethods(const std::vector<std::string>& names);

bool Allows(Access access, const RoleSet& roles);
std::string_view NameOf(Access access);  // "stream"

}  // namespace ddsp::server
