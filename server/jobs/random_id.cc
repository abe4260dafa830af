#include "server/jobs/random_id.h"

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "core/base/check.h"

namespace ddsp::server {

std::string RandomId(size_t bytes) {
  std::string random(bytes, '\0');
  // Up to 256 bytes come whole or not at all.
  DDSP_CHECK(bytes <= 256 && getrandom(random.data(), bytes, 0) == static_cast<ssize_t>(bytes),
             "the system has randomness");
  return absl::BytesToHexString(random);
}

}  // namespace ddsp::server
