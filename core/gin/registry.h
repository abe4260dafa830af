// Which configurables there are and what parameters they have.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/config.h"

namespace ddsp::gin {

enum class Extra { kRejected, kAccepted };

struct Configurable {
  std::string name;  // with its module: "ddsp.synths.Harmonic"
  std::vector<std::string> parameters;
  Extra extra = Extra::kRejected;  // whether it takes parameters of other names too (upstream: **kwargs)

  bool Takes(absl::string_view parameter) const;
};

class Registry {
 public:
  explicit Registry(std::vector<Configurable> configurables);

  // The configurable that a selector means; the end of its name is enough where no other ends so.
  // Errors: NOT_FOUND; INVALID_ARGUMENT listing the candidates.
  absl::StatusOr<const Configurable*> Find(absl::string_view selector) const;
  const std::vector<Configurable>& configurables() const { return configurables_; }

 private:
  const std::vector<Configurable> configurables_;
  std::multimap<std::string, size_t, std::less<>> by_last_name_;
};

// OK if every selector and reference is known and every parameter belongs to its configurable; else INVALID_ARGUMENT
// with all that is wrong, a line each, each with its position.
absl::Status CheckKnown(const Config& config, const Registry& registry);

// What upstream 3.7.0 registers, with the constructor arguments of each, and what our processors take beyond them.
const Registry& DdspConfigurables();

}  // namespace ddsp::gin
