#include "tests/golden/gin_text.h"

#include <cctype>
#include <sstream>
#include <stdexcept>

namespace ddsp::golden {
namespace {

using Json = nlohmann::json;
constexpr char kMacro[] = "%";

std::string BareName(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

std::string Trim(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

// A value in Python's notation; tuples become lists.
class ValueParser {
 public:
  explicit ValueParser(const std::string& text) : text_(text) {}

  Json Whole() {
    const Json value = Value();
    if (Peek() != '\0') Fail("more than one value");
    return value;
  }

 private:
  [[noreturn]] void Fail(const std::string& why) const {
    throw std::runtime_error("gin: " + why + " in '" + text_ + "'");
  }

  char Peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  Json Value() {
    const char c = Peek();
    if (c == '[' || c == '(') return List(c == '[' ? ']' : ')');
    if (c == '\'' || c == '"') return Quoted(c);
    return Word();
  }

  Json List(char close) {
    Json list = Json::array();
    for (++at_; Peek() != close;) {
      if (Peek() == '\0') Fail("a list that does not end");
      list.push_back(Value());
      if (Peek() == ',') ++at_;
    }
    ++at_;
    return list;
  }

  Json Quoted(char quote) {
    const size_t end = text_.find(quote, ++at_);
    if (end == std::string::npos) Fail("a text that does not end");
    const std::string value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  Json Word() {
    const size_t end = std::min(text_.find_first_of(",])( \t\n", at_), text_.size());
    std::string word = text_.substr(at_, end - at_);
    at_ = end;
    if (word.empty()) Fail("no value");
    if (word[0] == '@') {
      if (text_.compare(at_, 2, "()") == 0) at_ += 2;
      return word.substr(1);
    }
    if (word[0] == kMacro[0]) return word;
    if (word == "True") return true;
    if (word == "False") return false;
    if (word == "None") return nullptr;
    const Json number = Json::parse(word, nullptr, /*allow_exceptions=*/false);
    if (!number.is_number()) Fail("'" + word + "' is no value");
    return number;
  }

  const std::string& text_;
  size_t at_ = 0;
};

int Depth(const std::string& text) {
  int depth = 0;
  for (const char c : text) depth += (c == '[' || c == '(') - (c == ']' || c == ')');
  return depth;
}

}  // namespace

GinText GinText::Parse(const std::string& text) {
  GinText gin;
  std::istringstream lines(text);
  std::string line, statement;
  while (std::getline(lines, line)) {
    line = Trim(line.substr(0, line.find('#')));
    if (statement.empty() && (line.empty() || line.starts_with("import ") || line.starts_with("include "))) continue;
    const bool goes_on = line.ends_with('\\');
    statement += (goes_on ? line.substr(0, line.size() - 1) : line) + " ";
    if (goes_on || Depth(statement) > 0) continue;
    const size_t equals = statement.find('=');
    if (equals == std::string::npos) throw std::runtime_error("gin: no '=' in '" + statement + "'");
    const std::string name = Trim(statement.substr(0, equals)), right = statement.substr(equals + 1);
    const Json value = ValueParser(right).Whole();
    const size_t dot = name.rfind('.');
    if (dot == std::string::npos) {
      gin.macros_[name] = value;
    } else {
      gin.bindings_[BareName(name.substr(0, dot))][name.substr(dot + 1)] = value;
    }
    statement.clear();
  }
  if (!statement.empty()) throw std::runtime_error("gin: '" + statement + "' does not end");
  return gin;
}

nlohmann::json GinText::Resolve(Json value) const {
  if (value.is_array()) {
    for (Json& item : value) item = Resolve(item);
  } else if (value.is_string() && value.get<std::string>().starts_with(kMacro)) {
    const auto it = macros_.find(value.get<std::string>().substr(1));
    if (it == macros_.end()) throw std::runtime_error("gin: no macro " + value.get<std::string>());
    return Resolve(it->second);
  }
  return value;
}

nlohmann::json GinText::ParametersOf(const std::string& class_name) const {
  Json parameters = Json::object();
  const auto it = bindings_.find(BareName(class_name));
  if (it == bindings_.end()) return parameters;
  for (const auto& [name, value] : it->second) parameters[name] = Resolve(value);
  return parameters;
}

}  // namespace ddsp::golden
