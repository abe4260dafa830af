#include "core/graph/constructor_from_gin.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/gin/registry.h"

namespace ddsp {
namespace {

using gin::Value;

constexpr int kDeepest = 8;  // layers in layers

// The items of a list if all of them are a T.
template <typename T>
std::optional<std::vector<T>> ItemsOf(const std::vector<Value>& items) {
  std::vector<T> all;
  for (const Value& item : items) {
    const T* one = item.As<T>();
    if (one == nullptr) return std::nullopt;
    all.push_back(*one);
  }
  return all;
}

// (("amps", 1), ...).
std::optional<NamedSizes> SizesOf(const std::vector<Value>& items) {
  NamedSizes sizes;
  for (const Value& item : items) {
    const auto* pair = item.items();
    if (pair == nullptr || pair->size() != 2) return std::nullopt;
    const auto* name = (*pair)[0].As<std::string>();
    const auto* size = (*pair)[1].As<int64_t>();
    if (name == nullptr || size == nullptr) return std::nullopt;
    sizes.emplace_back(*name, *size);
  }
  return sizes;
}

class Flattener {
 public:
  explicit Flattener(const gin::Config& config) : config_(config) {}

  void AddArgument(const std::string& name, const Value& value, const std::string& scope, int depth) {
    if (value.is_none()) {
      args_[name] = std::monostate();
    } else if (const auto* flag = value.As<bool>()) {
      args_[name] = *flag;
    } else if (const auto* integer = value.As<int64_t>()) {
      args_[name] = *integer;
    } else if (const auto* real = value.As<double>()) {
      args_[name] = *real;
    } else if (const auto* text = value.As<std::string>()) {
      args_[name] = *text;
    } else if (const auto* reference = value.As<gin::Reference>()) {
      // Functions have their own bindings; those of scale functions are fixed.
      if (reference->form == gin::Reference::Form::kCalled || IsSpectrogram(*reference)) {
        return AddNested(name, *reference, scope, value.position(), depth);
      }
      args_[name] = reference->selector;
    } else if (value.items() != nullptr) {
      AddList(name, value, scope, depth);
    } else {
      Problem(value.position(), absl::StrCat(name, " is ", value.Describe(), ", which no module takes"));
    }
  }

  absl::StatusOr<ConstructorArgs> Finish() {
    if (!problems_.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
    return std::move(args_);
  }

 private:
  static bool IsSpectrogram(const gin::Reference& reference) {
    const auto known = gin::DdspConfigurables().Find(reference.selector);
    return known.ok() && (*known)->name.starts_with("ddsp.spectral_ops.");
  }

  // The class under `name`, its arguments below it.
  void AddNested(const std::string& name, const gin::Reference& reference, const std::string& scope,
                 const gin::Position& position, int depth) {
    const auto known = gin::DdspConfigurables().Find(reference.selector);
    if (!known.ok()) return;  // noted already
    if (depth >= kDeepest) return Problem(position, absl::StrCat(name, " has more than ", kDeepest, " layers inside"));
    args_[name] = ShortClass((*known)->name);
    const auto parameters = config_.ParametersOf(gin::Reference{reference.scope, (*known)->name}, scope);
    if (!parameters.ok()) return Note(parameters.status());
    const std::string inside = gin::ScopeOf(reference, scope);
    for (const auto& [parameter, value] : *parameters) {
      if (parameter != "name") AddArgument(absl::StrCat(name, "/", parameter), value, inside, depth + 1);
    }
  }

  void AddList(const std::string& name, const Value& value, const std::string& scope, int depth) {
    if (auto layers = ItemsOf<gin::Reference>(*value.items()); layers && !layers->empty()) {
      for (size_t i = 0; i < layers->size(); ++i) {
        AddNested(absl::StrCat(name, "/", i), (*layers)[i], scope, (*value.items())[i].position(), depth);
      }
    } else if (auto integers = ItemsOf<int64_t>(*value.items())) {
      args_[name] = *std::move(integers);
    } else if (auto texts = ItemsOf<std::string>(*value.items())) {
      args_[name] = *std::move(texts);
    } else if (auto sizes = SizesOf(*value.items())) {
      args_[name] = *std::move(sizes);
    } else {
      Problem(value.position(), name + " has items that are neither integers, nor texts, nor names with their sizes");
    }
  }

  void Problem(const gin::Position& position, const std::string& what) {
    problems_.push_back(absl::StrCat(gin::ToString(position), ": ", what));
  }
  void Note(const absl::Status& status) {
    if (!status.ok()) problems_.emplace_back(status.message());
  }

  const gin::Config& config_;
  ConstructorArgs args_;
  std::vector<std::string> problems_;
};

}  // namespace

std::string ShortClass(const std::string& name) {
  const size_t last = name.rfind('.'), before = last == std::string::npos ? last : name.rfind('.', last - 1);
  return before == std::string::npos ? name : name.substr(before + 1);
}

absl::StatusOr<ConstructorArgs> ConstructorFromGin(const gin::Config& config, const gin::Parameters& parameters,
                                                   const std::string& scope) {
  Flattener flattener(config);
  for (const auto& [name, value] : parameters) {
    if (name != "name") flattener.AddArgument(name, value, scope, /*depth=*/0);
  }
  return flattener.Finish();
}

}  // namespace ddsp
