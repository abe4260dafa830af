// The statements of a gin text, in their order.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/value.h"

namespace ddsp::gin {

// scope/module.Class.parameter = value, also as a member of a block (scope/module.Class: ...). A macro, NAME = value,
// has neither selector nor parameter and its name, with slashes if there are some, as its scope.
struct BindingStatement {
  std::string scope, selector, parameter;
  Value value;
  Position position;   // of the key
  int last_line = 0;   // on which the value ends
  int block_line = 0;  // on which the block begins that this belongs to; 0: none
};

// `import a.b`, `import a.b as c`, `from a import b`; modules are not loaded.
struct ImportStatement {
  std::string text;
  Position position;
};

struct IncludeStatement {
  std::string path;
  Position position;
};

using Statement = std::variant<BindingStatement, ImportStatement, IncludeStatement>;

// Brackets of a value may be nested this deep.
inline constexpr int kMaxNesting = 100;

// `file` is what positions name. Errors: INVALID_ARGUMENT with the position of the first error.
absl::StatusOr<std::vector<Statement>> ParseStatements(absl::string_view text, const std::string& file = "");

}  // namespace ddsp::gin
