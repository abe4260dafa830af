// What a soak has shown, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "load-tests/soak/soak_run.h"

namespace ddsp::soak {

std::string LineOf(const SoakMinute& minute);
// All of it, with a row for each kind of client.
std::string TextOf(const SoakReport& report);
nlohmann::json ToJson(const SoakReport& report);

}  // namespace ddsp::soak
