#include "core/processors/constructor_args.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {

namespace {

std::string Describe(const ArgValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const auto* number = std::get_if<double>(&value)) return absl::StrCat(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return absl::StrCat("the text '", *text, "'");
  return std::holds_alternative<std::monostate>(value) ? "none" : "a list";
}

}  // namespace

std::vector<int64_t> IntegersOf(const ArgValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return {*integer};
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) return *list;
  std::vector<int64_t> integers;
  if (const auto* sizes = std::get_if<NamedSizes>(&value)) {
    for (const auto& [name, size] : *sizes) integers.push_back(size);
  }
  return integers;
}

const ArgValue* ArgReader::Find(const std::string& name) {
  if (parent_ != nullptr) return parent_->Find(prefix_ + name);
  read_.insert(name);
  const auto it = args_.find(name);
  return it == args_.end() ? nullptr : &it->second;
}

int64_t ArgReader::Int(const std::string& name, int64_t fallback, int64_t minimum) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (!std::holds_alternative<int64_t>(*value)) {
    Reject(absl::StrCat(name, " is ", Describe(*value), ", expected an integer"));
    return fallback;
  }
  const int64_t number = std::get<int64_t>(*value);
  if (number < minimum) Reject(absl::StrCat(name, " is ", number, ", expected ", minimum, " or more"));
  return number;
}

double ArgReader::Number(const std::string& name, double fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr || std::holds_alternative<std::monostate>(*value)) return fallback;
  if (std::holds_alternative<int64_t>(*value)) return static_cast<double>(std::get<int64_t>(*value));
  if (std::holds_alternative<double>(*value)) return std::get<double>(*value);
  Reject(absl::StrCat(name, " is ", Describe(*value), ", expected a number"));
  return fallback;
}

double ArgReader::Positive(const std::string& name, double fallback) {
  const double number = Number(name, fallback);
  if (!(number > 0)) Reject(absl::StrCat(name, " is ", number, ", expected a positive number"));
  return number;
}

bool ArgReader::Flag(const std::string& name, bool fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (std::holds_alternative<bool>(*value)) return std::get<bool>(*value);
  // As in Python, and in texts that have numbers only.
  const int64_t* integer = std::get_if<int64_t>(value);
  if (integer != nullptr && (*integer == 0 || *integer == 1)) return *integer == 1;
  Reject(absl::StrCat(name, " is ", Describe(*value), ", expected true or false"));
  return fallback;
}

std::string ArgReader::Text(const std::string& name, const std::string& fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (std::holds_alternative<std::monostate>(*value)) return "";
  if (std::holds_alternative<std::string>(*value)) return std::get<std::string>(*value);
  Reject(absl::StrCat(name, " is ", Describe(*value), ", expected a text"));
  return fallback;
}

std::vector<int64_t> ArgReader::Integers(const std::string& name, const std::vector<int64_t>& fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (std::holds_alternative<std::monostate>(*value)) return {};
  if (std::holds_alternative<int64_t>(*value)) return {std::get<int64_t>(*value)};
  if (std::holds_alternative<std::vector<int64_t>>(*value)) return std::get<std::vector<int64_t>>(*value);
  Reject(absl::StrCat(name, " is ", Describe(*value), ", expected a list of integers"));
  return fallback;
}

std::vector<std::string> ArgReader::Texts(const std::string& name, const std::vector<std::string>& fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (const auto* texts = std::get_if<std::vector<std::string>>(value)) return *texts;
  if (const auto* text = std::get_if<std::string>(value)) return {*text};
  const auto* integers = std::get_if<std::vector<int64_t>>(value);  // an empty list is one of anything
  if (std::holds_alternative<std::monostate>(*value) || (integers != nullptr && integers->empty())) return {};
  Reject(absl::StrCat(name, " is ", Describe(*value), ", expected a list of texts"));
  return fallback;
}

NamedSizes ArgReader::Sizes(const std::string& name, const NamedSizes& fallback) {
  const ArgValue* value = Find(name);
  if (value == nullptr) return fallback;
  const auto* sizes = std::get_if<NamedSizes>(value);
  if (sizes == nullptr || sizes->empty()) {
    Reject(absl::StrCat(name, " is not a list of names, each with its channels"));
    return fallback;
  }
  for (const auto& [part, channels] : *sizes) {
    if (channels < 1) Reject(absl::StrCat(name, " gives ", part, " ", channels, " channels, expected 1 or more"));
  }
  return *sizes;
}

void ArgReader::Reject(const std::string& problem) {
  if (parent_ != nullptr) return parent_->Reject(prefix_ + problem);
  problems_.push_back(problem);
}

std::vector<std::string> ArgReader::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : args_) {
    if (!read_.contains(name)) names.push_back(name);
  }
  return names;
}

absl::Status ArgReader::Finish() const {
  std::vector<std::string> problems = problems_;
  for (const std::string& name : unread()) problems.push_back(absl::StrCat("unknown argument ", name));
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
}

}  // namespace ddsp
