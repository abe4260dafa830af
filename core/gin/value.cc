#include "core/gin/value.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace ddsp::gin {
namespace {

// Shortest decimal that reads back as the same number, in the layout of Python's repr().
std::string FormatDouble(double x) {
  if (!std::isfinite(x)) return std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
  std::array<char, 64> buffer;
  const double magnitude = std::abs(x);
  const bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, format);
  std::string text(buffer.data(), result.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string Join(const std::vector<Value>& items) {
  return absl::StrJoin(items, ", ", [](std::string* out, const Value& item) { out->append(ToString(item)); });
}

struct Formatter {
  std::string operator()(const None&) const { return "None"; }
  std::string operator()(bool x) const { return x ? "True" : "False"; }
  std::string operator()(int64_t x) const { return absl::StrCat(x); }
  std::string operator()(double x) const { return FormatDouble(x); }
  std::string operator()(const std::string& text) const { return Quote(text); }
  std::string operator()(const List& list) const { return absl::StrCat("[", Join(list.items), "]"); }
  std::string operator()(const Tuple& tuple) const {
    return absl::StrCat("(", Join(tuple.items), tuple.items.size() == 1 ? ",)" : ")");
  }
  std::string operator()(const Dict& dict) const {
    const auto pair = [](std::string* out, const std::pair<Value, Value>& item) {
      absl::StrAppend(out, ToString(item.first), ": ", ToString(item.second));
    };
    return absl::StrCat("{", absl::StrJoin(dict.items, ", ", pair), "}");
  }
  std::string operator()(const Reference& reference) const {
    return absl::StrCat("@", reference.scope, reference.scope.empty() ? "" : "/", reference.selector,
                        reference.form == Reference::Form::kCalled ? "()" : "");
  }
  std::string operator()(const Macro& macro) const { return "%" + macro.name; }
};

struct Describer {
  std::string operator()(const std::string& text) const { return absl::StrCat("the text ", Quote(text)); }
  std::string operator()(const List&) const { return "a list"; }
  std::string operator()(const Tuple&) const { return "a tuple"; }
  std::string operator()(const Dict&) const { return "a dict"; }
  template <typename T>
  std::string operator()(const T& other) const {
    return Formatter()(other);
  }
};

struct Equals {
  bool operator()(const List& a, const List& b) const { return a.items == b.items; }
  bool operator()(const Tuple& a, const Tuple& b) const { return a.items == b.items; }
  bool operator()(const Dict& a, const Dict& b) const { return a.items == b.items; }
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    return a == b;
  }
  template <typename T, typename U>
  bool operator()(const T&, const U&) const {
    return false;
  }
};

}  // namespace

const std::vector<Value>* Value::items() const {
  if (const List* list = As<List>()) return &list->items;
  if (const Tuple* tuple = As<Tuple>()) return &tuple->items;
  return nullptr;
}

std::string Value::Describe() const { return std::visit(Describer(), content_); }

bool operator==(const Value& a, const Value& b) { return std::visit(Equals(), a.content(), b.content()); }

std::string ToString(const Value& value) { return std::visit(Formatter(), value.content()); }

std::string Quote(absl::string_view text) {
  const char quote = absl::StrContains(text, '\'') && !absl::StrContains(text, '"') ? '"' : '\'';
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if ((c >= 0 && c < ' ') || c == '\x7f') {
      absl::StrAppendFormat(&quoted, "\\x%02x", c);
    } else {
      quoted += c;
    }
  }
  return quoted + quote;
}

bool SelectorsMatch(absl::string_view a, absl::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  return a == b || (absl::EndsWith(a, b) && a[a.size() - b.size() - 1] == '.');
}

}  // namespace ddsp::gin
