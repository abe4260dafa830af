// No message that a client may send brings the server down, whatever the method.
//
// An input is a call as text: the method's name, then its messages as textproto between lines of "---". A message that
// does not parse is sent as the bytes that it is.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "server/server.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using google::protobuf::TextFormat;

constexpr char kBetweenMessages[] = "\n---\n";
// Of calls that would wait.
constexpr auto kPatience = std::chrono::milliseconds(300);

// "/ddsp.v1.Synthesis/Render" -> what it takes; null: nobody knows.
const MethodDescriptor* FindMethod(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() != 3) return nullptr;
  const auto* service = DescriptorPool::generated_pool()->FindServiceByName(parts[1]);
  return service == nullptr ? nullptr : service->FindMethodByName(parts[2]);
}

std::unique_ptr<Message> NewInput(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
}

struct FuzzCall {
  std::string method;
  std::vector<std::string> messages;

  static FuzzCall Parse(const std::string& text) {
    std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('\n', 1));
    FuzzCall call{.method = parts[0], .messages = {}};
    if (parts.size() == 2) call.messages = absl::StrSplit(parts[1], kBetweenMessages);
    return call;
  }
  std::string Format() const { return method + "\n" + absl::StrJoin(messages, kBetweenMessages); }
};

bool ParseText(const std::string& text, Message* message) {
  TextFormat::Parser parser;
  class Quiet : public google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  } quiet;
  parser.RecordErrorsTo(&quiet);
  return parser.ParseFromString(text, message);
}

// A server with a voice, jobs and an admin port, for as long as the program runs.
class Rig {
 public:
  static Rig& Get() {
    static Rig* const rig = new Rig;
    return *rig;
  }

  void Send(const FuzzCall& call) {
    const MethodDescriptor* method = FindMethod(call.method);
    std::vector<grpc::ByteBuffer> messages;
    for (const std::string& text : call.messages) {
      std::string bytes = text;
      if (method != nullptr) {
        const auto message = NewInput(*method);
        if (ParseText(text, message.get())) bytes = message->SerializePartialAsString();
      }
      const grpc::Slice slice(bytes);
      messages.emplace_back(&slice, 1);
    }
    for (grpc::GenericStub* stub : {&public_, &admin_}) Exchange(*stub, call.method, messages);
  }

 private:
  class Reactor : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Reactor(const std::vector<grpc::ByteBuffer>& messages) : messages_(messages) {}
    void Begin() {
      StartCall();
      Next();
      StartRead(&read_);
    }
    void Wait() { done_.get_future().wait(); }

   private:
    void OnWriteDone(bool ok) override {
      if (ok) Next();
    }
    void OnReadDone(bool ok) override {
      if (ok) StartRead(&read_);
    }
    void OnDone(const grpc::Status&) override { done_.set_value(); }
    void Next() { at_ < messages_.size() ? StartWrite(&messages_[at_++]) : StartWritesDone(); }

    const std::vector<grpc::ByteBuffer>& messages_;
    size_t at_ = 0;
    grpc::ByteBuffer read_;
    std::promise<void> done_;
  };

  Rig() : server_(Start(folder_.path())), public_(Channel(server_->port())), admin_(Channel(server_->admin_port())) {}

  static std::unique_ptr<server::Server> Start(const std::string& folder) {
    ddsp::testing::WriteTestBundle(folder + "/models", {.name = "violin"});
    server::ServerOptions options;
    options.model_repository = folder + "/models";
    options.jobs.data_dir = folder + "/data";
    options.listen = options.admin_listen = "127.0.0.1:0";
    options.metrics_listen = "";
    options.max_sessions = 4;
    absl::StatusOr<std::unique_ptr<server::Server>> server = server::Server::Start(options);
    DDSP_CHECK(server.ok(), server.status().ToString());
    return *std::move(server);
  }

  static std::shared_ptr<grpc::Channel> Channel(int port) {
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  }

  static void Exchange(grpc::GenericStub& stub, const std::string& method,
                       const std::vector<grpc::ByteBuffer>& messages) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    Reactor reactor(messages);
    stub.PrepareBidiStreamingCall(&context, method, grpc::StubOptions(), &reactor);
    reactor.Begin();
    reactor.Wait();
  }

  const ddsp::testing::TempDir folder_;
  const std::unique_ptr<server::Server> server_;
  grpc::GenericStub public_, admin_;
};

}  // namespace
}  // namespace ddsp

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Mostly changes a message of the call; now and then its bytes, the number of its messages, or its method.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  auto call = ddsp::FuzzCall::Parse(std::string(reinterpret_cast<const char*>(data), size));
  const auto* method = ddsp::FindMethod(call.method);
  const size_t at = call.messages.empty() ? 0 : random() % call.messages.size();
  switch (random() % 8) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 1:
      call.messages.push_back(call.messages.empty() ? "" : call.messages[at]);
      break;
    case 2:
      if (!call.messages.empty()) call.messages.erase(call.messages.begin() + at);
      break;
    default: {
      if (method == nullptr || call.messages.empty()) return LLVMFuzzerMutate(data, size, max_size);
      const auto message = ddsp::NewInput(*method);
      if (!ddsp::ParseText(call.messages[at], message.get())) return LLVMFuzzerMutate(data, size, max_size);
      for (unsigned i = 1 + random() % 3; i > 0; --i) ddsp::fuzz::Mutate(message.get(), random);
      ddsp::TextFormat::PrintToString(*message, &call.messages[at]);
    }
  }
  const std::string text = call.Format();
  if (text.size() > max_size) return size;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ddsp::Rig::Get().Send(ddsp::FuzzCall::Parse(std::string(reinterpret_cast<const char*>(data), size)));
  return 0;
}
