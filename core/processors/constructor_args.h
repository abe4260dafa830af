// The constructor arguments of a processor as a graph's text gives them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace ddsp {

// (("amps", 1), ("harmonic_distribution", 60)): names, each with its channels.
using NamedSizes = std::vector<std::pair<std::string, int64_t>>;
// std::monostate stands for "none" (upstream: None).
using ArgValue = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>,
                              std::vector<std::string>, NamedSizes>;
// Where an argument is itself a layer, its value is the layer's class, and the arguments of that layer stand beside it:
// "net" is "nn.DilatedConvStack", "net/ch" is 256.
using ConstructorArgs = std::map<std::string, ArgValue>;

// Those of a value: one, several, none.
std::vector<int64_t> IntegersOf(const ArgValue& value);

// Reads arguments by name, each with its default, and collects everything that is wrong with them.
class ArgReader {
 public:
  explicit ArgReader(const ConstructorArgs& args) : args_(args) {}

  int64_t Int(const std::string& name, int64_t fallback, int64_t minimum);
  double Number(const std::string& name, double fallback);  // also for none
  double Positive(const std::string& name, double fallback);
  bool Flag(const std::string& name, bool fallback);
  std::string Text(const std::string& name, const std::string& fallback);                             // "" for none
  std::vector<int64_t> Integers(const std::string& name, const std::vector<int64_t>& fallback);       // {} for none
  std::vector<std::string> Texts(const std::string& name, const std::vector<std::string>& fallback);  // {} for none
  NamedSizes Sizes(const std::string& name, const NamedSizes& fallback);  // one or more, each with 1 channel or more
  // The arguments of the layer that the argument `name` is. Their problems are noted here; this outlives it.
  ArgReader Nested(const std::string& name) { return ArgReader(this, name + "/"); }
  int64_t depth() const { return parent_ == nullptr ? 0 : parent_->depth() + 1; }  // of layers around this one
  void Reject(const std::string& problem);
  // Takes the value, or notes the error and returns a default.
  template <typename StatusOrT>
  typename StatusOrT::value_type Accept(StatusOrT value) {
    if (value.ok()) return *std::move(value);
    Reject(std::string(value.status().message()));
    return {};
  }

  // What was rejected, and what nobody read. Each problem begins with the name of an argument.
  const std::vector<std::string>& problems() const { return problems_; }
  std::vector<std::string> unread() const;
  // OK, or INVALID_ARGUMENT with all problems, arguments that nobody read among them.
  absl::Status Finish() const;

 private:
  ArgReader(ArgReader* parent, std::string prefix)
      : args_(parent->args_), parent_(parent), prefix_(std::move(prefix)) {}
  const ArgValue* Find(const std::string& name);

  const ConstructorArgs& args_;
  ArgReader* const parent_ = nullptr;
  const std::string prefix_;
  std::set<std::string> read_;
  std::vector<std::string> problems_;
};

}  // namespace ddsp
