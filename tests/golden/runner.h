// Runs cases and says how they went.
#pragma once

#include <string>

#include "tests/golden/case.h"

namespace ddsp::golden {

enum class Verdict { kPassed, kFailed, kUnsupported, kDefect };

struct Outcome {
  Verdict verdict = Verdict::kPassed;
  std::string detail;  // the worst element and its tolerance, or what is missing
};

// Calls our form of c.fn, compares results and gradients. Never throws.
Outcome Run(const Case& c);

}  // namespace ddsp::golden
