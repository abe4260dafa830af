#pragma once

#include <string>

namespace ddsp::server {

// `bytes` bytes of the system's randomness as lower-case hexadecimal digits; nobody guesses 16.
std::string RandomId(size_t bytes);

}  // namespace ddsp::server
