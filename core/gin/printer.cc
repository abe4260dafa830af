#include "core/gin/printer.h"

#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ddsp::gin {
namespace {

constexpr size_t kLineLength = 80;
constexpr int kIndent = 4;

// A value whose text starts in column `indent`: on one line if it fits, else one item a line.
std::string Lay(const Value& value, size_t indent, size_t room_after) {
  const std::string line = ToString(value);
  const std::vector<Value>* items = value.items();
  const Dict* dict = value.As<Dict>();
  const size_t count = items != nullptr ? items->size() : dict != nullptr ? dict->items.size() : 0;
  if (count == 0 || indent + line.size() + room_after <= kLineLength) return line;
  const std::string separator = ",\n" + std::string(indent + 1, ' ');
  std::string text(1, line.front());
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += separator;
    if (dict != nullptr) {
      absl::StrAppend(&text, ToString(dict->items[i].first), ": ", ToString(dict->items[i].second));
    } else {
      text += Lay((*items)[i], indent + 1, 1);
    }
  }
  if (count == 1 && value.As<Tuple>() != nullptr) text += ",";
  return text + line.back();
}

std::string Heading(const std::string& title) { return absl::StrCat("# ", title, ":\n# ", std::string(78, '='), "\n"); }

std::string Owner(const BindingKey& key) {
  return absl::StrCat(key.scope, key.scope.empty() ? "" : "/", key.selector);
}

// By the name without its module, as gin sorts.
auto SortKey(const BindingKey& key) {
  const size_t dot = key.selector.rfind('.');
  const std::string name = dot == std::string::npos ? key.selector : key.selector.substr(dot + 1);
  return std::make_tuple(absl::AsciiStrToLower(name), key.selector, key.scope, key.parameter);
}

}  // namespace

std::string PrintBinding(const std::string& key, const Value& value) {
  const std::string line = absl::StrCat(key, " = ", ToString(value));
  if (line.size() <= kLineLength) return line + "\n";
  return absl::StrCat(key, " = \\\n", std::string(kIndent, ' '), Lay(value, kIndent, 0), "\n");
}

std::string Print(const Config& config) {
  std::string text;
  for (const std::string& import : config.imports()) absl::StrAppend(&text, import, "\n");
  if (!config.macros().empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", Heading("Macros"));
    for (const auto& [name, macro] : config.macros()) text += PrintBinding(name, macro.value);
  }
  std::map<std::tuple<std::string, std::string, std::string, std::string>, const std::pair<const BindingKey, Binding>*>
      sorted;
  for (const auto& entry : config.bindings()) sorted[SortKey(entry.first)] = &entry;
  std::string owner;
  for (const auto& [order, entry] : sorted) {
    if (Owner(entry->first) != owner) {
      owner = Owner(entry->first);
      absl::StrAppend(&text, text.empty() ? "" : "\n", Heading("Parameters for " + owner));
    }
    text += PrintBinding(ToString(entry->first), entry->second.value);
  }
  return text;
}

}  // namespace ddsp::gin
