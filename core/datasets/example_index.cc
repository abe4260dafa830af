#include "core/datasets/example_index.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace ddsp {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "ddsp examples 1";
constexpr char kUnfinished[] = "unfinished", kComplete[] = "complete";

absl::Status Wrong(std::string_view member, const Json& value) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(member), "' is ", value.dump(-1, ' ', true, Json::error_handler_t::replace)));
}

Json Member(const Json& json, const char* name) { return json.is_object() ? json.value(name, Json()) : Json(); }

absl::StatusOr<double> Rate(const Json& json, const char* name) {
  const Json value = Member(json, name);
  if (!value.is_number() || !(value.get<double>() >= 0)) return Wrong(name, value);
  return value.get<double>();
}

absl::StatusOr<int64_t> Count(const Json& value, std::string_view what) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > (uint64_t{1} << 40)) return Wrong(what, value);
  return value.get<int64_t>();
}

absl::StatusOr<std::vector<int64_t>> Shape(const Json& json, const std::string& feature) {
  std::vector<int64_t> shape;
  if (!json.is_array()) return Wrong(feature, json);
  for (const Json& size : json) {
    ASSIGN_OR_RETURN(const int64_t length, Count(size, feature));
    shape.push_back(length);
  }
  return shape;
}

absl::StatusOr<ExampleShard> Shard(const Json& json) {
  ExampleShard shard;
  const Json file = Member(json, "file");
  if (file.is_string()) shard.file = file.get<std::string>();
  // A name, so that an index cannot point out of its directory.
  if (shard.file.empty() || shard.file.front() == '.' || shard.file.find('/') != std::string::npos)
    return Wrong("file", file);
  ASSIGN_OR_RETURN(shard.examples, Count(Member(json, "examples"), "examples"));
  return shard;
}

}  // namespace

int64_t ExampleIndex::examples() const {
  int64_t examples = 0;
  for (const ExampleShard& shard : shards) examples += shard.examples;
  return examples;
}

std::string FormatExampleIndex(const ExampleIndex& index) {
  Json json = {{"format", kFormat},
               {"state", index.state == ExampleSetState::kComplete ? kComplete : kUnfinished},
               {"recipe", index.recipe},
               {"sample_rate", index.sample_rate},
               {"frame_rate", index.frame_rate},
               {"features", index.features},
               {"shards", Json::array()}};
  for (const ExampleShard& shard : index.shards)
    json["shards"].push_back({{"file", shard.file}, {"examples", shard.examples}});
  return json.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<ExampleIndex> ParseExampleIndex(std::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  if (Member(json, "format") != kFormat) return Wrong("format", Member(json, "format"));
  ExampleIndex index;
  const Json state = Member(json, "state");
  if (state != kComplete && state != kUnfinished) return Wrong("state", state);
  index.state = state == kComplete ? ExampleSetState::kComplete : ExampleSetState::kUnfinished;
  const Json recipe = Member(json, "recipe");
  if (!recipe.is_string()) return Wrong("recipe", recipe);
  index.recipe = recipe.get<std::string>();
  ASSIGN_OR_RETURN(index.sample_rate, Rate(json, "sample_rate"));
  ASSIGN_OR_RETURN(index.frame_rate, Rate(json, "frame_rate"));
  const Json features = Member(json, "features"), shards = Member(json, "shards");
  if (!features.is_object()) return Wrong("features", features);
  for (const auto& [name, shape] : features.items()) {
    ASSIGN_OR_RETURN(index.features[name], Shape(shape, name));
  }
  if (!shards.is_array()) return Wrong("shards", shards);
  for (const Json& shard : shards) {
    ASSIGN_OR_RETURN(ExampleShard parsed, Shard(shard));
    index.shards.push_back(std::move(parsed));
  }
  return index;
}

absl::StatusOr<ExampleIndex> ReadExampleIndex(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/", kExampleIndexFile);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::StatusOr<ExampleIndex> index = ParseExampleIndex(text);
  if (!index.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", index.status().message()));
  return index;
}

absl::Status WriteExampleIndex(const std::string& directory, const ExampleIndex& index) {
  return WriteFileAtomically(absl::StrCat(directory, "/", kExampleIndexFile), FormatExampleIndex(index));
}

}  // namespace ddsp
