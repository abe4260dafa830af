// The arguments of a case, as an adapter reads them. What no adapter asked for is an argument that we do not have yet.
#pragma once

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"
#include "tests/golden/case.h"

namespace ddsp::golden {

// Thrown for something that is known but not built: the case counts as unsupported.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Thrown for a call that our library rejects with a Status.
struct Rejected : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The value of a StatusOr; throws Rejected for INVALID_ARGUMENT, NOT_FOUND and the like, Unsupported for UNIMPLEMENTED.
void Unwrap(const absl::Status& status);
template <typename T>
T Unwrap(absl::StatusOr<T> value) {
  Unwrap(value.status());
  return *std::move(value);
}

class Call {
 public:
  explicit Call(const Case& c) : case_(c) {}

  // Tensor arguments. In() throws Unsupported when there is none; OptionalIn() is undefined then.
  at::Tensor In(const std::string& name);
  at::Tensor OptionalIn(const std::string& name);
  NamedTensors Inputs();  // all of them
  const NamedTensors& Params() const { return case_.params; }

  // Other arguments, each with the default of the reference implementation. null is kept apart by OptionalNumber and
  // Text ("").
  double Number(const std::string& name, double fallback);
  std::optional<double> OptionalNumber(const std::string& name);
  int64_t Int(const std::string& name, int64_t fallback);
  int64_t Int(const std::string& name);
  bool Flag(const std::string& name, bool fallback);
  std::string Text(const std::string& name, const std::string& fallback);
  const nlohmann::json& Raw(const std::string& name);  // null when absent
  bool Has(const std::string& name) const { return case_.args.contains(name); }
  const nlohmann::json& Args();  // all of them

  const Case& golden_case() const { return case_; }
  std::vector<std::string> Unread() const;

 private:
  const Case& case_;
  std::set<std::string> read_;
};

using Adapter = NamedTensors (*)(Call& call);

// The adapter of a function; nullptr for one that we do not have. The table is in adapters.cc.
Adapter FindAdapter(const std::string& fn);

// The single unnamed result.
inline NamedTensors Out(const at::Tensor& result) { return {{"out", result}}; }

}  // namespace ddsp::golden
