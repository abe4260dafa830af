#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>

namespace ddsp::client {

// A message as an object for scripts: names as in the .proto, whole numbers as numbers, values of enums without the
// enum's name ("RUNNING"), times as RFC 3339, durations in seconds. Every plain field is there; a message, and a field
// of a oneof, only where it is set.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

}  // namespace ddsp::client
