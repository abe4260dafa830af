// Models in messages, and names of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ddsp/v1/models.pb.h"
#include "server/registry/model_status.h"

namespace ddsp::server {

v1::Model ToMessage(const ModelStatus& status);

// What a name of a resource says. Errors: INVALID_MODEL_REQUEST.
absl::StatusOr<std::string> ModelOf(std::string_view name);  // "models/violin"
struct VersionName {
  std::string model;
  int64_t version = 0;  // 0: "models/violin" alone
};
absl::StatusOr<VersionName> VersionNameOf(std::string_view name);  // "models/violin/versions/7"
struct AliasName {
  std::string model, alias;
};
absl::StatusOr<AliasName> AliasNameOf(std::string_view name);  // "models/violin/aliases/champion"

}  // namespace ddsp::server
