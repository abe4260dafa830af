// Changes protocol buffers as a client with bad intentions would: one field at a time, to values at the edges.
#pragma once

#include <cstdint>
#include <random>

#include "google/protobuf/message.h"

namespace ddsp::fuzz {

// One change somewhere in `message` or in what it contains: a field set, cleared, repeated or swapped for an edge
// value.
void Mutate(google::protobuf::Message* message, std::minstd_rand& random);

}  // namespace ddsp::fuzz
