// Protocol buffers as text, strictly: an unknown field is an error that names the line.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace ddsp {

absl::Status ParseTextProto(const std::string& text, google::protobuf::Message* message);
std::string FormatTextProto(const google::protobuf::Message& message);

}  // namespace ddsp
