#include "server/kserve/model_description.h"

#include "absl/strings/str_cat.h"
#include "core/streaming/stream_framer.h"
#include "server/kserve/infer_request.h"

namespace ddsp::server::kserve {
namespace {

constexpr int64_t kAnyLength = -1;

struct TensorRow {
  const char* name;
  const char* datatype;
  inference::DataType type;
  int64_t length;
  bool optional;
};
// The first is what clients that know nothing of voices send.
constexpr TensorRow kInputs[] = {
    {kAudio, "FP32", inference::TYPE_FP32, kAnyLength, false},
    {kPitchShift, "FP32", inference::TYPE_FP32, 1, true},
    {kLoudnessShift, "FP32", inference::TYPE_FP32, 1, true},
    {kSeed, "UINT64", inference::TYPE_UINT64, 1, true},
};
constexpr TensorRow kOutputs[] = {{kAudio, "FP32", inference::TYPE_FP32, kAnyLength, false}};

void Fill(const TensorRow& row, inference::ModelMetadataResponse::TensorMetadata* tensor) {
  tensor->set_name(row.name);
  tensor->set_datatype(row.datatype);
  tensor->add_shape(row.length);
}

// A request's answer is as long as its samples, but for these.
void DescribeTiming(const StreamFormat& format, google::protobuf::Map<std::string, std::string>& properties) {
  properties["sample_rate_hz"] = absl::StrCat(format.sample_rate);
  properties["hop_samples"] = absl::StrCat(format.hop_size);
  const auto framer =
      StreamFramer::Create({.format = format, .input_rate = format.sample_rate, .output_rate = format.sample_rate});
  if (!framer.ok()) return;  // no voice is hosted at a rate that streams cannot have
  properties["latency_samples"] = absl::StrCat((*framer)->latency());
  properties["tail_samples"] = absl::StrCat((*framer)->tail());
}

}  // namespace

inference::ModelMetadataResponse DescribeModel(HostedVoice& voice, const std::vector<std::string>& versions) {
  inference::ModelMetadataResponse model;
  model.set_name(voice.model());
  model.set_platform(kPlatform);
  for (const std::string& version : versions) model.add_versions(version);
  for (const TensorRow& row : kInputs) Fill(row, model.add_inputs());
  for (const TensorRow& row : kOutputs) Fill(row, model.add_outputs());
  DescribeTiming(voice.format(StreamInput::kAudio), *model.mutable_properties());
  return model;
}

inference::ModelConfig ConfigureModel(HostedVoice& voice, absl::Duration idle, Processor processor) {
  inference::ModelConfig config;
  config.set_name(voice.model());
  config.set_platform(kPlatform);
  config.set_backend(kPlatform);
  config.set_max_batch_size(0);
  for (const TensorRow& row : kInputs) {
    inference::ModelInput* input = config.add_input();
    input->set_name(row.name);
    input->set_data_type(row.type);
    input->add_dims(row.length);
    input->set_optional(row.optional);
  }
  for (const TensorRow& row : kOutputs) {
    inference::ModelOutput* output = config.add_output();
    output->set_name(row.name);
    output->set_data_type(row.type);
    output->add_dims(row.length);
  }
  inference::ModelInstanceGroup* group = config.add_instance_group();
  group->set_name(voice.id());
  group->set_count(1);
  group->set_kind(processor == Processor::kGpu ? inference::ModelInstanceGroup::KIND_GPU
                                               : inference::ModelInstanceGroup::KIND_CPU);
  inference::ModelSequenceBatching* sequences = config.mutable_sequence_batching();
  sequences->set_max_sequence_idle_microseconds(absl::ToInt64Microseconds(idle));
  sequences->mutable_oldest()->set_max_candidate_sequences(voice.slots().slots());
  config.mutable_model_transaction_policy()->set_decoupled(false);
  return config;
}

}  // namespace ddsp::server::kserve
