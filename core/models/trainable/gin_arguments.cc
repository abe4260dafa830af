#include "core/models/trainable/gin_arguments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/gin/registry.h"
#include "core/graph/constructor_from_gin.h"

namespace ddsp {
namespace {

using gin::Value;

const GinModelOptions& NoOptions() {
  static const auto* const none = new GinModelOptions;
  return *none;
}

}  // namespace

void GinProblems::Add(const gin::Position& position, absl::string_view what) {
  Add(absl::InvalidArgumentError(absl::StrCat(gin::ToString(position), ": ", what)));
}

void GinProblems::Add(const absl::Status& status) {
  if (status.ok()) return;
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    if (std::find(lines_.begin(), lines_.end(), line) == lines_.end()) lines_.emplace_back(line);
  }
}

absl::Status GinProblems::Finish() const {
  return lines_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
}

GinArguments::GinArguments(const gin::Config& config, const Value& reference, const std::string& scope,
                           GinProblems* problems, const GinModelOptions* options)
    : config_(&config),
      problems_(problems),
      options_(options == nullptr ? &NoOptions() : options),
      position_(reference.position()) {
  const auto* named = reference.As<gin::Reference>();
  if (named == nullptr) {
    Reject(absl::StrCat("found ", reference.Describe(), ", expected @class()"));
    return;
  }
  const auto known = gin::DdspConfigurables().Find(named->selector);
  if (!known.ok()) return;  // CheckKnown() tells
  class_name_ = ShortClass((*known)->name);
  scope_ = gin::ScopeOf(*named, scope);
  const auto parameters = config.ParametersOf((*known)->name, scope_);
  problems->Add(parameters.status());
  if (parameters.ok()) parameters_ = *parameters;
}

const Value* GinArguments::Find(const std::string& name) {
  read_.insert(name);
  const auto it = parameters_.find(name);
  return it == parameters_.end() || it->second.is_none() ? nullptr : &it->second;
}

void GinArguments::Reject(const std::string& name, absl::string_view what) {
  const auto it = parameters_.find(name);
  problems_->Add(it == parameters_.end() ? position_ : it->second.position(),
                 absl::StrCat(class_name_, ".", name, " ", what));
}

void GinArguments::Mismatch(const std::string& name, const Value& value, absl::string_view expected) {
  Reject(name, absl::StrCat("is ", value.Describe(), ", expected ", expected));
}

int64_t GinArguments::Int(const std::string& name, int64_t fallback, int64_t minimum) {
  const Value* value = Find(name);
  if (value == nullptr) return fallback;
  const auto* integer = value->As<int64_t>();
  if (integer != nullptr && *integer >= minimum) return *integer;
  Mismatch(name, *value, absl::StrCat("an integer of ", minimum, " or more"));
  return fallback;
}

double GinArguments::Number(const std::string& name, double fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return fallback;
  if (const auto* integer = value->As<int64_t>()) return static_cast<double>(*integer);
  if (const auto* number = value->As<double>()) return *number;
  Mismatch(name, *value, "a number");
  return fallback;
}

bool GinArguments::Flag(const std::string& name, bool fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return fallback;
  if (const auto* flag = value->As<bool>()) return *flag;
  Mismatch(name, *value, "True or False");
  return fallback;
}

std::string GinArguments::Text(const std::string& name, const std::string& fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return parameters_.contains(name) ? "" : fallback;
  if (const auto* text = value->As<std::string>()) return *text;
  if (const auto* reference = value->As<gin::Reference>()) return reference->selector;
  Mismatch(name, *value, "a text");
  return fallback;
}

std::vector<int64_t> GinArguments::Integers(const std::string& name, const std::vector<int64_t>& fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return fallback;
  std::vector<int64_t> integers;
  const std::vector<Value> items = value->items() == nullptr ? std::vector<Value>{*value} : *value->items();
  for (const Value& item : items) {
    const auto* integer = item.As<int64_t>();
    if (integer == nullptr || *integer < 1) {
      Mismatch(name, *value, "integers of 1 or more");
      return fallback;
    }
    integers.push_back(*integer);
  }
  return integers;
}

std::vector<std::string> GinArguments::Texts(const std::string& name, const std::vector<std::string>& fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return parameters_.contains(name) ? std::vector<std::string>{} : fallback;
  std::vector<std::string> texts;
  const std::vector<Value> items = value->items() == nullptr ? std::vector<Value>{*value} : *value->items();
  for (const Value& item : items) {
    const auto* text = item.As<std::string>();
    if (text == nullptr) {
      Mismatch(name, *value, "texts");
      return fallback;
    }
    texts.push_back(*text);
  }
  return texts;
}

GinArguments::Splits GinArguments::ReadSplits(const std::string& name, const Splits& fallback) {
  const Value* value = Find(name);
  if (value == nullptr) return fallback;
  Splits splits;
  for (const Value& item : value->items() == nullptr ? std::vector<Value>{*value} : *value->items()) {
    const std::vector<Value>* pair = item.items();
    const bool complete = pair != nullptr && pair->size() == 2;
    const auto* key = complete ? (*pair)[0].As<std::string>() : nullptr;
    const auto* channels = complete ? (*pair)[1].As<int64_t>() : nullptr;
    if (key == nullptr || channels == nullptr || *channels < 1) {
      Mismatch(name, item, "('name', channels)");
      return fallback;
    }
    splits.emplace_back(*key, *channels);
  }
  return splits;
}

std::optional<GinArguments> GinArguments::Child(const std::string& name) {
  const Value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  return GinArguments(*config_, *value, scope_, problems_, options_);
}

std::vector<GinArguments> GinArguments::Children(const std::string& name) {
  std::vector<GinArguments> children;
  const Value* value = Find(name);
  if (value == nullptr) return children;
  for (const Value& item : value->items() == nullptr ? std::vector<Value>{*value} : *value->items()) {
    children.emplace_back(*config_, item, scope_, problems_, options_);
  }
  return children;
}

void GinArguments::ExpectFlag(const std::string& name, bool only, bool fallback) {
  if (Flag(name, fallback) == only) return;
  Reject(name, absl::StrCat("is ", only ? "False" : "True", ", expected ", only ? "True" : "False"));
}

void GinArguments::ExpectNone(const std::string& name, absl::string_view what) {
  if (Find(name) != nullptr) Reject(name, what);
}

void GinArguments::Finish() {
  Ignore({"name", "dtype", "trainable"});
  for (const auto& [name, value] : parameters_) {
    if (!read_.contains(name) && !value.is_none()) Reject(name, "is not supported");
  }
}

}  // namespace ddsp
