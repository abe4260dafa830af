// Reads the one kind of Python pickle that upstream stores: a dictionary of numbers, numpy arrays and a
// QuantileTransformer. Nothing is executed and no class is looked up: opcodes and classes outside of a short list are
// errors. Pickle protocols 2 to 5.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::importer {

struct PickleValue {
  enum class Kind {
    kNone,
    kNumber,    // integer, float, boolean or numpy scalar
    kText,
    kBytes,
    kSequence,  // tuple or list
    kDict,
    kArray,     // of numpy
    kObject,    // an instance of a class of the list, with attributes as a dictionary
    kOpaque,    // known and of no use here: the state of a random generator
    kClass,     // a class or function itself
    kDtype,     // of numpy
  };
  Kind kind = Kind::kNone;
  double number = 0;
  std::string text;                       // text, bytes; the name of a class; "f4" of a dtype
  std::vector<const PickleValue*> items;  // of a sequence; keys and values by turns of a dictionary or an object
  std::vector<int64_t> shape;             // of an array
  std::vector<double> values;             // of an array, row by row

  // The value under a key of a dictionary or an attribute of an object; null if there is none.
  const PickleValue* Find(std::string_view key) const;
};

// A pickle's value and everything that it refers to.
class Pickle {
 public:
  // Errors: INVALID_ARGUMENT naming `file`, the offset, and the opcode, class or value that is not allowed there;
  // DATA_LOSS for a pickle that ends early.
  static absl::StatusOr<Pickle> Parse(std::string_view bytes, const std::string& file);

  const PickleValue& root() const { return *root_; }

 private:
  Pickle() = default;

  std::unique_ptr<std::deque<PickleValue>> values_;  // may refer to each other, in circles too
  const PickleValue* root_ = nullptr;
};

}  // namespace ddsp::importer
