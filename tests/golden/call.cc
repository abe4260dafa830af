#include "tests/golden/call.h"

#include "absl/strings/str_cat.h"

namespace ddsp::golden {

void Unwrap(const absl::Status& status) {
  if (status.ok()) return;
  if (absl::IsUnimplemented(status)) throw Unsupported(std::string(status.message()));
  if (absl::IsInternal(status)) throw std::runtime_error(std::string(status.message()));
  throw Rejected(std::string(status.message()));
}

at::Tensor Call::In(const std::string& name) {
  const at::Tensor tensor = OptionalIn(name);
  if (!tensor.defined()) throw Unsupported("without the input " + name);
  return tensor;
}

at::Tensor Call::OptionalIn(const std::string& name) {
  read_.insert("in/" + name);
  const auto it = case_.inputs.find(name);
  return it == case_.inputs.end() ? at::Tensor() : it->second;
}

NamedTensors Call::Inputs() {
  for (const auto& [name, tensor] : case_.inputs) read_.insert("in/" + name);
  return case_.inputs;
}

const nlohmann::json& Call::Raw(const std::string& name) {
  static const nlohmann::json kNull;
  read_.insert(name);
  const auto it = case_.args.find(name);
  return it == case_.args.end() ? kNull : *it;
}

const nlohmann::json& Call::Args() {
  for (const auto& [name, value] : case_.args.items()) read_.insert(name);
  return case_.args;
}

double Call::Number(const std::string& name, double fallback) {
  const nlohmann::json& value = Raw(name);
  return value.is_null() ? fallback : value.get<double>();
}

std::optional<double> Call::OptionalNumber(const std::string& name) {
  const nlohmann::json& value = Raw(name);
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

int64_t Call::Int(const std::string& name, int64_t fallback) {
  const nlohmann::json& value = Raw(name);
  return value.is_null() ? fallback : value.get<int64_t>();
}

int64_t Call::Int(const std::string& name) {
  if (!Has(name)) throw Unsupported("without the argument " + name);
  return Int(name, 0);
}

bool Call::Flag(const std::string& name, bool fallback) {
  const nlohmann::json& value = Raw(name);
  return value.is_null() ? fallback : value.get<bool>();
}

std::string Call::Text(const std::string& name, const std::string& fallback) {
  if (!Has(name)) {
    read_.insert(name);
    return fallback;
  }
  const nlohmann::json& value = Raw(name);
  return value.is_null() ? "" : value.get<std::string>();
}

std::vector<std::string> Call::Unread() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : case_.args.items()) {
    if (!read_.contains(name)) names.push_back(absl::StrCat("argument ", name));
  }
  for (const auto& [name, value] : case_.inputs) {
    if (!read_.contains("in/" + name)) names.push_back(absl::StrCat("input ", name));
  }
  return names;
}

}  // namespace ddsp::golden
