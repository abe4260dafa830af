// Processors by the name of their class.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/processors/constructor_args.h"
#include "core/processors/processor.h"

namespace ddsp {

// Makes a processor of a class such as "synths.Harmonic" (the module may be left out) with upstream's constructor
// arguments and defaults; `name` is what it is called in a graph. Beyond upstream: "phase" of Harmonic and Sinusoidal
// ("exact", the default when use_angular_cumsum is absent, "cumsum", "angular_cumsum",
// "traced_angular_cumsum"); "gains" of Mix
// ("constant_power", "upstream"); "delay_end" of ModDelay
// ("hold", "wrap"). Errors: NOT_FOUND for the class, INVALID_ARGUMENT listing everything that is wrong with the
// arguments.
absl::StatusOr<std::unique_ptr<Processor>> MakeProcessor(const std::string& class_name, const std::string& name,
                                                         const ConstructorArgs& args);

// All classes, with their modules.
std::vector<std::string> ProcessorClasses();

}  // namespace ddsp
