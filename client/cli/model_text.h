// Models for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ddsp/v1/models.pb.h"

namespace ddsp::client {

// A table with a row for each version; a version that is not served says why below it.
std::string ModelTable(const std::vector<v1::Model>& models);

// {"name": "violin", "serving_version": 2, "aliases": {...}, "versions": [...]}
nlohmann::ordered_json ToJson(const v1::Model& model);

}  // namespace ddsp::client
