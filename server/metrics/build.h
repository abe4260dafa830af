// Which build this is.
#pragma once

#include <string_view>

namespace ddsp::server {

struct BuildFacts {
  std::string_view version;  // "0.1.0"
  std::string_view commit;   // "29cdfd5", as it was configured; "unknown" outside a repository
  std::string_view cuda;     // "13.0"; "none"
};
const BuildFacts& Build();

}  // namespace ddsp::server
