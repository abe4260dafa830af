// The pitch tracker that a configuration names and the caller brings.
#pragma once

#include <memory>
#include <string>

#include "core/dsp/crepe_network.h"
#include "core/models/trainable/gin_arguments.h"

namespace ddsp {

// The network that was supplied. Null, noted as a problem at the parameter, if there is none, or if its capacity is not
// the one that the parameter names (`fallback` if it names none); a value that is no capacity, as a path, fits any.
std::shared_ptr<const CrepeNetwork> SuppliedCrepe(GinArguments& args, const std::string& parameter,
                                                  const std::string& fallback);

}  // namespace ddsp
