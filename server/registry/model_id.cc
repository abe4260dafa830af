#include "server/registry/model_id.h"

#include "absl/strings/str_cat.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {

std::string ModelId(const std::string& model, int64_t version) { return absl::StrCat(model, "/", version); }

absl::Status ModelNotFound(const std::string& reference) {
  const std::string asked = Echo(reference);
  return MakeError(Reason::kModelNotFound, absl::StrCat("no model '", asked, "' in the repositories"),
                   {{"model", asked}});
}

}  // namespace ddsp::server
