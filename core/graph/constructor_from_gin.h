// Constructor arguments out of gin, those of the layers inside a layer among them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/gin/config.h"
#include "core/processors/constructor_args.h"

namespace ddsp {

// What `parameters`, the bindings of a class, give its constructor where `scope` is active; all but "name". A reference
// is a layer inside; its own bindings stand below it. Errors: INVALID_ARGUMENT with a line and a position for every
// value that no class takes; references to what gin does not know are CheckKnown()'s to tell.
absl::StatusOr<ConstructorArgs> ConstructorFromGin(const gin::Config& config, const gin::Parameters& parameters,
                                                   const std::string& scope);

// A class with the last of its modules: "synths.Harmonic" for "ddsp.synths.Harmonic".
std::string ShortClass(const std::string& name);

}  // namespace ddsp
