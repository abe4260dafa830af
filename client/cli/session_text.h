// Sessions for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ddsp/v1/sessions.pb.h"

namespace ddsp::client {

// A row for each; "no sessions" where there are none.
std::string SessionTable(const std::vector<v1::Session>& sessions);

nlohmann::ordered_json ToJson(const v1::Session& session);

}  // namespace ddsp::client
