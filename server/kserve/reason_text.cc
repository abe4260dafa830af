#include "server/kserve/reason_text.h"

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server::kserve {

absl::Status WithReasonInText(const absl::Status& error) {
  const std::string reason = ReasonOf(error);
  if (reason.empty()) return error;
  absl::Status told(error.code(), absl::StrCat(reason, ": ", error.message()));
  error.ForEachPayload(
      [&told](absl::string_view type_url, const absl::Cord& payload) { told.SetPayload(type_url, payload); });
  return told;
}

}  // namespace ddsp::server::kserve
