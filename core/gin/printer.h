// A configuration as text, in the layout of gin's operative configurations.
#pragma once

#include <string>

#include "core/gin/config.h"

namespace ddsp::gin {

// Imports, macros, then the parameters of each configurable, sorted, under a heading; long values over several lines.
// Reading the text gives the same configuration again.
std::string Print(const Config& config);

// One binding, "key = value", with a value that does not fit a line on lines of its own.
std::string PrintBinding(const std::string& key, const Value& value);

}  // namespace ddsp::gin
