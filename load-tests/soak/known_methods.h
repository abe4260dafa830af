// Methods that servers have, and messages that they take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

// Of all services of the public port. What only operators may do is refused there.
const std::vector<const google::protobuf::MethodDescriptor*>& KnownMethods();
std::string PathOf(const google::protobuf::MethodDescriptor& method);  // "/ddsp.v1.Synthesis/Render"

// A message that the method may well take, for those whose bare one says too little.
std::unique_ptr<google::protobuf::Message> PlausibleMessage(Visit& visit,
                                                            const google::protobuf::MethodDescriptor& method);

}  // namespace ddsp::soak
