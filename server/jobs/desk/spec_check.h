#pragma once

#include <string>

#include "server/jobs/api/jobs_api.h"

namespace ddsp::server {

// What a server with these two repositories takes. A voice is not trained under a name of the first, which are other
// people's; one that is to play is in either of them; the extractor knows the rate of features. Asks the disk each
// time. Errors: INVALID_JOB_REQUEST, MODEL_NOT_FOUND.
SpecCheck MakeSpecCheck(std::string bundled_repository, std::string models_folder);

}  // namespace ddsp::server
