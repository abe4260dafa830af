// What stands on the right of a binding: a literal of Python, a reference to a configurable, or a macro.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/gin/source.h"

namespace ddsp::gin {

class Value;

struct None {
  bool operator==(const None&) const = default;
};
struct List {
  std::vector<Value> items;
};
struct Tuple {
  std::vector<Value> items;
};
struct Dict {
  std::vector<std::pair<Value, Value>> items;  // in the order of the text
};

// @scope/module.name or, called, @scope/module.name().
struct Reference {
  enum class Form { kItself, kCalled };
  std::string scope;     // "" or "a/b"
  std::string selector;  // "synths.Harmonic"
  Form form = Form::kCalled;
  bool operator==(const Reference&) const = default;
};

// %name
struct Macro {
  std::string name;
  bool operator==(const Macro&) const = default;
};

// Texts are UTF-8. Values are equal wherever they stand; 1 and 1.0 are different.
class Value {
 public:
  using Content = std::variant<None, bool, int64_t, double, std::string, List, Tuple, Dict, Reference, Macro>;

  Value() = default;
  Value(Content content, Position position = {}) : content_(std::move(content)), position_(std::move(position)) {}

  const Content& content() const { return content_; }
  const Position& position() const { return position_; }

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&content_);
  }
  bool is_none() const { return As<None>() != nullptr; }
  // The items of a list or a tuple; null for anything else.
  const std::vector<Value>* items() const;
  // "a list", "the text 'gru'": for messages.
  std::string Describe() const;

 private:
  Content content_;
  Position position_;
};

bool operator==(const Value& a, const Value& b);

// As gin writes it, on one line: "('amps', 1)", "@dec/nn.Fc()", "%n_samples", "1e-07".
std::string ToString(const Value& value);
// A text as Python's repr() writes it.
std::string Quote(absl::string_view text);

// Whether two module paths can mean the same: equal, or one ends with the other ("synths.Harmonic", "Harmonic").
bool SelectorsMatch(absl::string_view a, absl::string_view b);

}  // namespace ddsp::gin
