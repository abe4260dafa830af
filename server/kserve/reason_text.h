#pragma once

#include "absl/status/status.h"

namespace ddsp::server::kserve {

// Clients of this protocol see the text of an error, and often nothing else: it begins with the reason
// ("MODEL_NOT_FOUND: no model ..."). Code and details stay. Statuses without a reason pass unchanged.
absl::Status WithReasonInText(const absl::Status& error);

}  // namespace ddsp::server::kserve
