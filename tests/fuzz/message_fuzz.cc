// No message may crash what checks it before anything is done for it: thousands a second, where request_fuzz makes
// whole calls. The first byte says which message, the rest are its bytes.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "google/protobuf/message.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/api/job_spec.h"
#include "server/kserve/infer_request.h"
#include "server/session/input_reader.h"
#include "server/session/session_config.h"
#include "tests/fuzz/message_mutator.h"

namespace ddsp::server {
namespace {

using google::protobuf::Message;

// Null for a letter that stands for nothing.
std::unique_ptr<Message> NewMessage(char letter) {
  switch (letter) {
    case 'c':
      return std::make_unique<v1::SessionConfig>();
    case 'b':
      return std::make_unique<v1::ControlBlock>();
    case 'i':
      return std::make_unique<inference::ModelInferRequest>();
    case 'j':
      return std::make_unique<v1::JobSpec>();
    case 'p':
      return std::make_unique<v1::JobProgress>();
    default:
      return nullptr;
  }
}

void Plan(const v1::SessionConfig& config) {
  const SessionLimits limits;
  const auto plan = PlanSession(config, limits);
  if (!plan.ok()) return;
  if (BufferBytes(*plan, limits) <= 0 || InputWindow(plan->input_format, limits) <= 0) std::abort();
  const InputReader reader(*plan, limits);
}

void ReadControl(const v1::ControlBlock& block) {
  v1::SessionConfig config;
  config.set_model("violin");
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  config.mutable_output_format()->set_encoding(v1::PCM_S16LE);
  config.mutable_output_format()->set_sample_rate_hz(48000);
  InputReader reader(*PlanSession(config, {}), {});
  for (int i = 0; i < 2; ++i) {
    reader.ReadControl(block, [](int64_t) { return absl::OkStatus(); }).status().IgnoreError();
  }
}

void Check(Message* message) {
  if (const auto* config = dynamic_cast<v1::SessionConfig*>(message)) {
    Plan(*config);
  } else if (const auto* block = dynamic_cast<v1::ControlBlock*>(message)) {
    ReadControl(*block);
  } else if (auto* infer = dynamic_cast<inference::ModelInferRequest*>(message)) {
    kserve::ReadInferRequest(*infer).status().IgnoreError();
  } else if (const auto* spec = dynamic_cast<v1::JobSpec*>(message)) {
    if (Validate(*spec).ok()) ToJson(*spec, "spec").status().IgnoreError();
  } else if (const auto* progress = dynamic_cast<v1::JobProgress*>(message)) {
    ToProgress(*progress).status().IgnoreError();
  }
}

}  // namespace
}  // namespace ddsp::server

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto message = bytes.empty() ? nullptr : ddsp::server::NewMessage(bytes[0]);
  if (message == nullptr || random() % 16 == 0 || !message->ParseFromString(bytes.substr(1)))
    return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned i = 1 + random() % 4; i > 0; --i) ddsp::fuzz::Mutate(message.get(), random);
  bytes = bytes[0] + message->SerializePartialAsString();
  if (bytes.size() > max_size) return size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = size == 0 ? nullptr : ddsp::server::NewMessage(static_cast<char>(data[0]));
  if (message != nullptr && message->ParseFromArray(data + 1, static_cast<int>(size) - 1))
    ddsp::server::Check(message.get());
  return 0;
}
