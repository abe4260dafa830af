#include "core/graph/graph_printer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

struct ArgumentFormatter {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(bool flag) const { return flag ? "True" : "False"; }
  std::string operator()(int64_t number) const { return absl::StrCat(number); }
  std::string operator()(double number) const { return absl::StrCat(number); }
  std::string operator()(const std::string& text) const { return absl::StrCat("'", text, "'"); }
  std::string operator()(const std::vector<int64_t>& list) const {
    return absl::StrCat("[", absl::StrJoin(list, ", "), "]");
  }
  std::string operator()(const std::vector<std::string>& list) const {
    const auto quoted = [](std::string* out, const std::string& text) { absl::StrAppend(out, "'", text, "'"); };
    return absl::StrCat("[", absl::StrJoin(list, ", ", quoted), "]");
  }
  std::string operator()(const NamedSizes& sizes) const {
    const auto pair = [](std::string* out, const auto& part) {
      absl::StrAppend(out, "('", part.first, "', ", part.second, ")");
    };
    return absl::StrCat("[", absl::StrJoin(sizes, ", ", pair), "]");
  }
};

std::string Call(const GraphNode& node) {
  const auto argument = [](std::string* out, const auto& arg) {
    absl::StrAppend(out, arg.first, "=", std::visit(ArgumentFormatter(), arg.second));
  };
  return absl::StrCat(node.class_name, "(", absl::StrJoin(node.args, ", ", argument), ")");
}

bool IsInput(const ValidatedGraph& graph, const std::string& key) {
  return std::find(graph.inputs().begin(), graph.inputs().end(), key) != graph.inputs().end();
}

// Text inside double quotes of Graphviz.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string Edge(const ValidatedGraph& graph, const std::string& key, const std::string& port, const std::string& to) {
  const size_t slash = key.find('/');
  if (IsInput(graph, key)) {
    return absl::StrCat("  \"inputs/", Escaped(key), "\" -> \"", Escaped(to), "\" [label=\"", port, "\"];\n");
  }
  return absl::StrCat("  \"", Escaped(key.substr(0, slash)), "\" -> \"", Escaped(to), "\" [label=\"",
                      Escaped(key.substr(slash + 1)), " to ", port, "\"];\n");
}

}  // namespace

std::string PrintGraph(const ValidatedGraph& graph) {
  std::string text = absl::StrCat("inputs: ", absl::StrJoin(graph.inputs(), ", "), "\n");
  for (const auto& node : graph.nodes()) {
    absl::StrAppend(&text, "\n", node.spec.name, " = ", Call(node.spec), "\n");
    for (size_t i = 0; i < node.spec.inputs.size(); ++i) {
      const std::string& key = node.spec.inputs[i];
      if (key.empty()) continue;  // an optional input that is not given
      absl::StrAppend(&text, "  ", node.module->inputs()[i].name, " <- ", IsInput(graph, key) ? "inputs/" : "", key,
                      "\n");
    }
    absl::StrAppend(&text, "  -> ", absl::StrJoin(node.module->results(), ", "), "\n");
    for (const ParameterSpec& parameter : node.module->parameters()) {
      absl::StrAppend(&text, "  parameter ", parameter.name, " [", absl::StrJoin(parameter.shape, ", "), "]\n");
    }
  }
  return absl::StrCat(text, "\nout = ", graph.nodes().back().spec.name, "\n");
}

std::string DrawGraph(const ValidatedGraph& graph) {
  std::string dot = "digraph {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n";
  for (const std::string& input : graph.inputs()) {
    absl::StrAppend(&dot, "  \"inputs/", Escaped(input), "\" [label=\"", Escaped(input), "\", shape=ellipse];\n");
  }
  for (const auto& node : graph.nodes()) {
    absl::StrAppend(&dot, "  \"", Escaped(node.spec.name), "\" [label=\"", Escaped(node.spec.name), "\\n",
                    Escaped(node.spec.class_name), "\", shape=box];\n");
    for (size_t i = 0; i < node.spec.inputs.size(); ++i) {
      if (!node.spec.inputs[i].empty())
        dot += Edge(graph, node.spec.inputs[i], node.module->inputs()[i].name, node.spec.name);
    }
  }
  absl::StrAppend(&dot, "  \"out\" [shape=plaintext];\n  \"", Escaped(graph.nodes().back().spec.name),
                  "\" -> \"out\";\n");
  return dot + "}\n";
}

}  // namespace ddsp
