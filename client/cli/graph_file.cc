#include "client/cli/graph_file.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/graph/gin_graph.h"
#include "core/graph/proto_graph.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

absl::Status Naming(const std::string& path, const absl::Status& status) {
  if (status.ok() || absl::StrContains(status.message(), path)) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

}  // namespace

absl::StatusOr<GraphSpec> ReadGraph(const std::string& path, const GinOptions& gin) {
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".gin") {
    ASSIGN_OR_RETURN(const gin::Config config, ReadGin(path, gin));
    auto spec = GraphFromGin(config);
    if (!spec.ok()) return Naming(path, spec.status());
    return spec;
  }
  if (ending != ".textproto" && ending != ".pbtxt") {
    return absl::InvalidArgumentError(absl::StrCat(path, ": a graph is a .gin or a .textproto file"));
  }
  if (!gin.params.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is no gin file: no --gin_param"));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  auto spec = GraphFromText(text, path);
  if (!spec.ok()) return Naming(path, spec.status());
  return spec;
}

absl::StatusOr<FloatArrays> ReadArrays(const std::string& path) {
  auto file = Safetensors::Read(path);
  if (!file.ok()) return Naming(path, file.status());
  FloatArrays arrays;
  for (const std::string& name : file->Names()) {
    ASSIGN_OR_RETURN(const TensorView view, file->Get(name));
    ASSIGN_OR_RETURN(std::vector<float> values, file->GetFloats(name));
    arrays[name] = {view.shape, std::move(values)};
  }
  return arrays;
}

absl::Status WriteArrays(const std::string& path, const FloatArrays& arrays) {
  SafetensorsWriter writer;
  for (const auto& [name, array] : arrays) writer.AddFloats(name, array.shape, array.values.data());
  return writer.Write(path);
}

absl::Status WriteSignal(const std::string& path, const FloatArray& signal, int sample_rate) {
  if (signal.shape.size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat("out/signal has shape [", absl::StrJoin(signal.shape, ", "),
                                                   "], expected [batch, samples] for ", path));
  }
  const int64_t batch = signal.shape[0], samples = signal.shape[1];
  for (int64_t i = 0; i < batch; ++i) {
    fs::path file(path);
    if (batch > 1) file.replace_extension(absl::StrCat(i, file.extension().string()));
    const auto begin = signal.values.begin() + i * samples;
    RETURN_IF_ERROR(WriteWav(file.string(), {sample_rate, 1, {begin, begin + samples}}, WavEncoding::kFloat32));
  }
  return absl::OkStatus();
}

}  // namespace ddsp::client
