#include "server/kserve/infer_request.h"

#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server::kserve {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied from and to the wire as they are");

using inference::InferParameter;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

constexpr size_t kLongestSequenceId = 80;

absl::Status BadField(const std::string& field, const std::string& description) {
  return MakeFieldError(Reason::kInvalidConfig, absl::StrCat(field, " ", description), {{field, description}});
}

std::string ParameterField(const std::string& name) { return absl::StrCat("parameters[\"", Echo(name), "\"]"); }

absl::Status ReadFlag(const std::string& name, const InferParameter& parameter, bool* flag) {
  if (parameter.parameter_choice_case() != InferParameter::kBoolParam) {
    return BadField(ParameterField(name), "is no bool_param");
  }
  *flag = parameter.bool_param();
  return absl::OkStatus();
}

// 0 and "" mean that there is none.
absl::Status ReadSequenceId(const InferParameter& parameter, std::string* sequence) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kInt64Param:
      if (parameter.int64_param() != 0) *sequence = absl::StrCat(parameter.int64_param());
      return absl::OkStatus();
    case InferParameter::kUint64Param:
      if (parameter.uint64_param() != 0) *sequence = absl::StrCat(parameter.uint64_param());
      return absl::OkStatus();
    case InferParameter::kStringParam:
      if (parameter.string_param().size() > kLongestSequenceId) {
        return BadField(ParameterField("sequence_id"), absl::StrCat("is longer than ", kLongestSequenceId, " bytes"));
      }
      if (!parameter.string_param().empty()) *sequence = absl::StrCat("'", parameter.string_param(), "'");
      return absl::OkStatus();
    default:
      return BadField(ParameterField("sequence_id"), "is neither a number nor a string");
  }
}

// Live streams have no ranks, and their queues are those of the device: both are taken, and mean nothing.
absl::Status CheckNumber(const std::string& name, const InferParameter& parameter) {
  const auto kind = parameter.parameter_choice_case();
  if (kind == InferParameter::kInt64Param || kind == InferParameter::kUint64Param) return absl::OkStatus();
  return BadField(ParameterField(name), "is no number");
}

absl::Status ReadParameters(const ModelInferRequest& wire, InferRequest* request) {
  for (const auto& [name, parameter] : wire.parameters()) {
    if (name == "sequence_id") {
      RETURN_IF_ERROR(ReadSequenceId(parameter, &request->sequence));
    } else if (name == "sequence_start") {
      RETURN_IF_ERROR(ReadFlag(name, parameter, &request->start));
    } else if (name == "sequence_end") {
      RETURN_IF_ERROR(ReadFlag(name, parameter, &request->end));
    } else if (name == kEmptyFinal) {
      RETURN_IF_ERROR(ReadFlag(name, parameter, &request->marks_final));
    } else if (name == "priority" || name == "timeout") {
      RETURN_IF_ERROR(CheckNumber(name, parameter));
    } else {
      return BadField(ParameterField(name), "is unknown");
    }
  }
  if (!request->sequence.empty()) return absl::OkStatus();
  if (request->start || request->end) {
    return BadField(ParameterField("sequence_id"), "is missing: sequence_start and sequence_end go with it");
  }
  request->start = request->end = true;
  return absl::OkStatus();
}

absl::Status CheckOutputs(const ModelInferRequest& wire) {
  for (int i = 0; i < wire.outputs_size(); ++i) {
    const std::string field = absl::StrCat("outputs[", i, "]");
    if (wire.outputs(i).name() != kAudio) {
      return BadField(field + ".name", absl::StrCat("is '", Echo(wire.outputs(i).name()), "'; there is: ", kAudio));
    }
    // Shared memory and classification are extensions that this server does not have.
    for (const auto& [name, unused] : wire.outputs(i).parameters()) {
      return BadField(absl::StrCat(field, ".", ParameterField(name)), "is unknown");
    }
  }
  return absl::OkStatus();
}

// One input, and where its elements are.
struct Input {
  const InputTensor& tensor;
  std::string field;
  std::string* raw = nullptr;  // null: in tensor.contents
};

absl::Status Malformed(const Input& input, const std::string& what) {
  return MakeError(Reason::kBlockMalformed, absl::StrCat("input '", Echo(input.tensor.name()), "' ", what),
                   {{"input", Echo(input.tensor.name())}});
}

absl::Status CheckType(const Input& input, const char* expected) {
  if (input.tensor.datatype() == expected) return absl::OkStatus();
  const std::string problem = absl::StrCat("is ", Echo(input.tensor.datatype()), ", expected ", expected);
  return MakeFieldError(Reason::kFormatUnsupported,
                        absl::StrCat("the datatype of input '", Echo(input.tensor.name()), "' ", problem),
                        {{input.field + ".datatype", problem}});
}

// The length of a tensor of one dimension.
absl::StatusOr<int64_t> LengthOf(const Input& input) {
  if (input.tensor.shape_size() == 1 && input.tensor.shape(0) >= 0) return input.tensor.shape(0);
  return Malformed(input, absl::StrCat("has shape [", absl::StrJoin(input.tensor.shape(), ","), "], expected [N]"));
}

absl::Status CheckSize(const Input& input, int64_t elements, int64_t found, const char* unit) {
  if (found == elements) return absl::OkStatus();
  return Malformed(input, absl::StrCat("has ", found, " ", unit, "; its shape needs ", elements));
}

// A tensor of floats as little-endian bytes.
absl::StatusOr<std::string> ReadFloats(const Input& input) {
  RETURN_IF_ERROR(CheckType(input, "FP32"));
  ASSIGN_OR_RETURN(const int64_t length, LengthOf(input));
  if (input.raw != nullptr) {
    // Shapes come from strangers: no product that could overflow.
    const auto bytes = static_cast<int64_t>(input.raw->size());
    if (bytes % sizeof(float) != 0) return Malformed(input, absl::StrCat("has ", bytes, " bytes, no whole elements"));
    RETURN_IF_ERROR(CheckSize(input, length, bytes / static_cast<int64_t>(sizeof(float)), "elements of raw data"));
    return std::move(*input.raw);
  }
  const auto& values = input.tensor.contents().fp32_contents();
  RETURN_IF_ERROR(CheckSize(input, length, values.size(), "fp32_contents"));
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

absl::StatusOr<double> ReadFloat(const Input& input) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFloats(input));
  if (bytes.size() != sizeof(float)) return Malformed(input, "holds more or less than one number");
  float value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

absl::StatusOr<uint64_t> ReadSeed(const Input& input) {
  RETURN_IF_ERROR(CheckType(input, "UINT64"));
  ASSIGN_OR_RETURN(const int64_t length, LengthOf(input));
  if (length != 1) return Malformed(input, "holds more or less than one number");
  uint64_t value = 0;
  if (input.raw != nullptr) {
    RETURN_IF_ERROR(CheckSize(input, sizeof value, static_cast<int64_t>(input.raw->size()), "bytes of raw data"));
    std::memcpy(&value, input.raw->data(), sizeof value);
    return value;
  }
  RETURN_IF_ERROR(CheckSize(input, 1, input.tensor.contents().uint64_contents_size(), "uint64_contents"));
  return input.tensor.contents().uint64_contents(0);
}

absl::Status ReadInput(const Input& input, InferRequest* request) {
  for (const auto& [name, unused] : input.tensor.parameters()) {
    return BadField(absl::StrCat(input.field, ".", ParameterField(name)), "is unknown");
  }
  const std::string& name = input.tensor.name();
  if (name == kAudio) {
    ASSIGN_OR_RETURN(request->audio, ReadFloats(input));
  } else if (name == kPitchShift) {
    ASSIGN_OR_RETURN(request->pitch_shift_semitones, ReadFloat(input));
  } else if (name == kLoudnessShift) {
    ASSIGN_OR_RETURN(request->loudness_shift_db, ReadFloat(input));
  } else if (name == kSeed) {
    ASSIGN_OR_RETURN(request->seed, ReadSeed(input));
  } else {
    return BadField(input.field + ".name",
                    absl::StrCat("is '", Echo(name),
                                 "'; there are: ", absl::StrJoin({kAudio, kPitchShift, kLoudnessShift, kSeed}, ", ")));
  }
  return absl::OkStatus();
}

absl::Status CheckForm(const ModelInferRequest& wire) {
  if (wire.raw_input_contents().empty()) return absl::OkStatus();
  if (wire.raw_input_contents_size() != wire.inputs_size()) {
    return MakeError(Reason::kBlockMalformed, absl::StrCat(wire.raw_input_contents_size(), " raw_input_contents for ",
                                                           wire.inputs_size(), " inputs"));
  }
  for (const InputTensor& input : wire.inputs()) {
    if (!input.has_contents()) continue;
    return MakeError(Reason::kBlockMalformed,
                     absl::StrCat("input '", Echo(input.name()), "' has contents beside raw_input_contents"),
                     {{"input", Echo(input.name())}});
  }
  return absl::OkStatus();
}

absl::Status ReadInputs(ModelInferRequest& wire, InferRequest* request) {
  RETURN_IF_ERROR(CheckForm(wire));
  request->form = wire.raw_input_contents().empty() ? TensorForm::kContents : TensorForm::kRaw;
  std::string names = ",";
  for (int i = 0; i < wire.inputs_size(); ++i) {
    const Input input{.tensor = wire.inputs(i),
                      .field = absl::StrCat("inputs[", i, "]"),
                      .raw = request->form == TensorForm::kRaw ? wire.mutable_raw_input_contents(i) : nullptr};
    RETURN_IF_ERROR(ReadInput(input, request));
    const std::string name = input.tensor.name() + ",";
    if (names.find("," + name) != std::string::npos) return BadField(input.field + ".name", "comes twice");
    names += name;
  }
  if (names.find(absl::StrCat(",", kAudio, ",")) != std::string::npos) return absl::OkStatus();
  return MakeError(Reason::kInputMismatch, absl::StrCat("input '", kAudio, "' is missing"), {{"input", kAudio}});
}

}  // namespace

absl::StatusOr<InferRequest> ReadInferRequest(ModelInferRequest& wire) {
  InferRequest request;
  request.id = wire.id();
  request.model = wire.model_name();
  request.version = wire.model_version();
  RETURN_IF_ERROR(ReadParameters(wire, &request));
  RETURN_IF_ERROR(CheckOutputs(wire));
  RETURN_IF_ERROR(ReadInputs(wire, &request));
  return request;
}

}  // namespace ddsp::server::kserve
