// Where the bundled voices are.
#pragma once

#include <string>

namespace ddsp::client {

// `models` in the working directory or beside the build that this program belongs to (<root>/build/<preset>/bin/ddsp);
// "models" when neither exists, for an error that names it.
std::string DefaultRepository();

}  // namespace ddsp::client
