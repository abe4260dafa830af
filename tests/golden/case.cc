#include "tests/golden/case.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::golden {
namespace {

using Json = nlohmann::json;

Tolerance ParseTolerance(const Json& entry, const Tolerance& fallback) {
  Tolerance tolerance = fallback;
  if (entry.is_array()) {  // [rtol, atol]
    tolerance.rtol = entry.at(0).get<double>();
    tolerance.atol = {entry.at(1).get<double>()};
  } else if (entry.is_object()) {
    tolerance.rtol = entry.value("rtol", fallback.rtol);
    tolerance.median_atol = entry.value("median_atol", fallback.median_atol);
    if (entry.contains("atol")) {
      const Json& atol = entry["atol"];
      tolerance.atol = atol.is_array() ? atol.get<std::vector<double>>() : std::vector<double>{atol.get<double>()};
    }
  }
  return tolerance;
}

// The tolerance of one result: its own entry of `tol`, else that of the case.
Tolerance ToleranceOf(const Json& entry, const std::string& key) {
  const Tolerance common = ParseTolerance(entry, {});
  if (!entry.contains("tol") || !entry["tol"].contains(key)) return common;
  return ParseTolerance(entry["tol"][key], common);
}

// Layout of the functions: NAME/grad/X and NAME/cotangent/X. Layout of the models: out/grad_in/X, out/grad_param/X,
// in/cot/X.
absl::Status Fill(const Json& entry, const Safetensors& file, Case* c) {
  const std::string prefix = c->name + "/";
  c->inputs = ToTensors(file, prefix + "in/");
  c->params = ToTensors(file, prefix + "param/");
  c->cotangents = ToTensors(file, prefix + "cotangent/");
  for (auto it = c->inputs.begin(); it != c->inputs.end();) {
    if (it->first.starts_with("cot/")) {
      c->cotangents.emplace(it->first.substr(4), it->second);
      it = c->inputs.erase(it);
    } else {
      ++it;
    }
  }
  for (const auto& [name, value] : ToTensors(file, prefix + "out/")) {
    const bool functions = entry.contains("tol") && entry["tol"].contains("out/" + name);
    const Expected expected = {value, ToleranceOf(entry, functions ? "out/" + name : name)};
    if (name.starts_with("grad_in/")) {
      c->input_gradients.emplace(name.substr(8), expected);
    } else if (name.starts_with("grad_param/")) {
      c->param_gradients.emplace(name.substr(11), expected);
    } else {
      c->outputs.emplace(name, expected);
    }
  }
  for (const auto& [name, value] : ToTensors(file, prefix + "grad/")) {
    c->input_gradients.emplace(name, Expected{value, ToleranceOf(entry, "grad/" + name)});
  }
  for (const auto& output : entry.value("outputs", std::vector<std::string>())) {
    if (!file.Has(prefix + "out/" + output)) {
      return absl::InvalidArgumentError(absl::StrCat("case ", c->name, ": no tensor for result '", output, "'"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Case>> ReadSafetensorsCases(const std::string& path) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
  const auto metadata = file.metadata().find("cases");
  if (metadata == file.metadata().end()) return absl::InvalidArgumentError("its metadata has no 'cases'");
  const Json list = Json::parse(metadata->second);
  std::vector<Case> cases;
  for (const Json& entry : list) {
    Case c;
    c.name = entry.at("name").get<std::string>();
    c.fn = entry.at("fn").get<std::string>();
    c.directory = std::filesystem::path(path).parent_path().string();
    c.args = entry.value("args", Json::object());
    c.defect = entry.value("status", "ok") == "defect";
    RETURN_IF_ERROR(Fill(entry, file, &c));
    cases.push_back(std::move(c));
  }
  return cases;
}

absl::StatusOr<std::vector<Case>> ReadErrorCases(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::vector<Case> cases;
  for (const Json& entry : Json::parse(text)) {
    Case c;
    c.name = entry.value("why", "");
    c.fn = entry.at("fn").get<std::string>();
    c.directory = std::filesystem::path(path).parent_path().string();
    c.args = entry.value("args", Json::object());
    c.rejected = true;
    const Json shapes = entry.value("input_shapes", Json::object());
    for (const auto& [name, shape] : shapes.items()) {
      c.inputs.emplace(name, at::full(shape.get<std::vector<int64_t>>(), 0.25, at::kFloat));
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace

absl::StatusOr<std::vector<Case>> ReadCases(const std::string& path) {
  const auto name_file = [&](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
  };
  try {
    auto cases = path.ends_with(".json") ? ReadErrorCases(path) : ReadSafetensorsCases(path);
    if (!cases.ok()) return name_file(std::string(cases.status().message()));
    return cases;
  } catch (const std::exception& error) {  // what nlohmann::json throws for text of another form
    return name_file(error.what());
  }
}

}  // namespace ddsp::golden
