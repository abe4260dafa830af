#include "tests/golden/gin_args.h"

#include <stdexcept>

#include "core/gin/reader.h"

namespace ddsp::golden {
namespace {

using Json = nlohmann::json;

template <typename T>
T Checked(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(std::string(value.status().message()));
  return *std::move(value);
}

Json ToJson(const gin::Value& value) {
  if (const auto* items = value.items()) {
    Json list = Json::array();
    for (const gin::Value& item : *items) list.push_back(ToJson(item));
    return list;
  }
  if (const auto* flag = value.As<bool>()) return *flag;
  if (const auto* integer = value.As<int64_t>()) return *integer;
  if (const auto* number = value.As<double>()) return *number;
  if (const auto* text = value.As<std::string>()) return *text;
  if (const auto* reference = value.As<gin::Reference>()) return reference->selector;
  if (value.is_none()) return nullptr;
  throw std::runtime_error(gin::ToString(value.position()) + ": " + value.Describe() + " is no argument of a case");
}

}  // namespace

GinArgs GinArgs::Parse(const std::string& text) {
  GinArgs args;
  args.config_ = Checked(gin::ParseConfig(text));
  return args;
}

Json GinArgs::ParametersOf(const std::string& class_name) const {
  Json parameters = Json::object();
  for (const auto& [name, value] : Checked(config_.ParametersOf(class_name))) parameters[name] = ToJson(value);
  return parameters;
}

}  // namespace ddsp::golden
