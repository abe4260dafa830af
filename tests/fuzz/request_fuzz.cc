// No message that a client may send brings the server down, whatever the method.
//
// An input is a call as text: the method's name, then lines of metadata ("@x-request-id a"), then its messages as
// textproto between lines of "---". A message that does not parse is sent as the bytes that it is. In messages @JOB and
// @LEASE stand for a job that a worker has just claimed, @BLOB for bytes that have been uploaded.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "ddsp/v1/jobs.pb.h"
#include "ddsp/v1/models.pb.h"
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
constexpr auto kPatience = std::chrono::milliseconds(200);

constexpr const char* kServices[] = {"ddsp.v1.Features",
                                     "ddsp.v1.Graph",
                                     "ddsp.v1.Jobs",
                                     "ddsp.v1.Models",
                                     "ddsp.v1.Sessions",
                                     "ddsp.v1.Synthesis",
                                     "grpc.health.v1.Health",
                                     "grpc.reflection.v1.ServerReflection",
                                     "inference.GRPCInferenceService",
                                     "xds.service.orca.v3.OpenRcaService"};

// "/ddsp.v1.Synthesis/Render" -> what it takes; null: nobody knows.
const MethodDescriptor* FindMethod(const std::string& name) {
  // The older reflection differs in its name alone.
  const std::vector<std::string> parts =
      absl::StrSplit(absl::StrReplaceAll(name, {{"reflection.v1alpha", "reflection.v1"}}), '/');
  if (parts.size() != 3) return nullptr;
  const auto* service = DescriptorPool::generated_pool()->FindServiceByName(parts[1]);
  return service == nullptr ? nullptr : service->FindMethodByName(parts[2]);
}

// All that a server has.
std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const char* name : kServices) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(name);
    DDSP_CHECK(service != nullptr, name);
    for (int i = 0; i < service->method_count(); ++i)
      names.push_back(absl::StrCat("/", name, "/", service->method(i)->name()));
  }
  return names;
}

std::unique_ptr<Message> NewInput(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
}

struct FuzzCall {
  std::string method;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> messages;

  static FuzzCall Parse(const std::string& text) {
    FuzzCall call;
    std::string rest = text;
    const auto take_line = [&rest] {
      const std::vector<std::string> parts = absl::StrSplit(rest, absl::MaxSplits('\n', 1));
      rest = parts.size() == 2 ? parts[1] : "";
      return parts[0];
    };
    const bool more = absl::StrContains(text, '\n');
    call.method = take_line();
    while (absl::StartsWith(rest, "@")) {
      const std::vector<std::string> parts = absl::StrSplit(take_line().substr(1), absl::MaxSplits(' ', 1));
      call.metadata.emplace_back(parts[0], parts.size() == 2 ? parts[1] : "");
    }
    if (more) call.messages = absl::StrSplit(rest, kBetweenMessages);
    return call;
  }
  std::string Format() const {
    std::string text = method + "\n";
    for (const auto& [key, value] : metadata) absl::StrAppend(&text, "@", key, " ", value, "\n");
    return text + absl::StrJoin(messages, kBetweenMessages);
  }
};

// gRPC's client ends the program for what cannot be a header.
bool IsText(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isprint(c); });
}

bool CanBeSent(const std::string& key, const std::string& value) {
  const bool known = key == "authorization" || key == "traceparent" || key == "tracestate" || key == "grpc-trace-bin" ||
                     key == "x-request-id";
  return known && (absl::EndsWith(key, "-bin") || IsText(value));
}

bool ParseText(const std::string& text, Message* message) {
  TextFormat::Parser parser;
  class Quiet : public google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  } quiet;
  parser.RecordErrorsTo(&quiet);
  return parser.ParseFromString(text, message);
}

constexpr char kBlob[] = "bytes of a recording";

// A server with a voice, jobs and an admin port, for as long as the program runs.
class Rig {
 public:
  static Rig& Get() {
    static Rig* const rig = new Rig;
    return *rig;
  }

  void Send(const FuzzCall& call) {
    const MethodDescriptor* method = FindMethod(call.method);
    if (!absl::StartsWith(call.method, "/") || !IsText(call.method)) return;
    std::vector<grpc::ByteBuffer> messages;
    for (const std::string& written : call.messages) {
      const std::string text = FillIn(written);
      std::string bytes = text;
      if (method != nullptr) {
        const auto message = NewInput(*method);
        if (ParseText(text, message.get())) bytes = message->SerializePartialAsString();
      }
      const grpc::Slice slice(bytes);
      messages.emplace_back(&slice, 1);
    }
    for (grpc::GenericStub* stub : {&public_, &admin_}) Exchange(*stub, call, messages);
    if (absl::StrContains(call.method, "oad")) {
      v1::LoadModelRequest again;
      again.set_name("models/violin");
      Ask<v1::Model>(admin_, "/ddsp.v1.Models/Load", again);
    }
  }

 private:
  class Reactor : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Reactor(const std::vector<grpc::ByteBuffer>& messages) : messages_(messages) {}
    void Begin() {
      // The call may be over as soon as it has started.
      Next();
      StartRead(&read_);
      StartCall();
    }
    void Wait() { done_.WaitForNotification(); }
    const std::string& first() const { return first_; }

   private:
    void OnWriteDone(bool ok) override {
      if (ok) Next();
    }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (first_.empty()) first_ = TextOf(read_);
      StartRead(&read_);
    }
    void OnDone(const grpc::Status&) override { done_.Notify(); }
    void Next() { at_ < messages_.size() ? StartWrite(&messages_[at_++]) : StartWritesDone(); }

    static std::string TextOf(const grpc::ByteBuffer& buffer) {
      grpc::Slice slice;
      if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
      return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }

    const std::vector<grpc::ByteBuffer>& messages_;
    size_t at_ = 0;
    grpc::ByteBuffer read_;
    std::string first_;
    absl::Notification done_;
  };

  Rig() : server_(Start(folder_.path())), public_(Channel(server_->port())), admin_(Channel(server_->admin_port())) {
    v1::BeginUploadRequest begin;
    begin.set_sha256(Sha256Hex(kBlob));
    begin.set_size(sizeof kBlob - 1);
    Ask<v1::UploadStatus>(public_, "/ddsp.v1.Jobs/BeginUpload", begin);
    v1::UploadChunkRequest chunk;
    chunk.set_sha256(begin.sha256());
    chunk.set_data(kBlob);
    chunk.set_crc32c(Crc32c(kBlob));
    DDSP_CHECK(Ask<v1::UploadStatus>(public_, "/ddsp.v1.Jobs/UploadChunk", chunk).complete(), "the blob is there");
  }

  // What stands for the name of a job that was just claimed, its lease, a blob.
  std::string FillIn(const std::string& text) {
    if (!absl::StrContains(text, '@')) return text;
    const std::string blob = Sha256Hex(kBlob);
    std::string job, lease;
    if (absl::StrContains(text, "@JOB") || absl::StrContains(text, "@LEASE")) {
      v1::CreateJobRequest create;
      v1::JobFile* file = create.mutable_spec()->mutable_train()->add_data();
      create.mutable_spec()->mutable_train()->set_recipe("vst");
      create.mutable_spec()->mutable_train()->set_model("my-cello");
      file->set_path("a.wav");
      file->set_sha256(blob);
      file->set_size(sizeof kBlob - 1);
      job = Ask<v1::Job>(public_, "/ddsp.v1.Jobs/Create", create).name();
      v1::ClaimJobsRequest claim;
      claim.set_worker("fuzz");
      claim.add_kinds("train");
      claim.set_name(job);
      const auto claimed = Ask<v1::ClaimJobsResponse>(public_, "/ddsp.v1.Jobs/Claim", claim);
      if (claimed.jobs_size() == 1) lease = claimed.jobs(0).lease().id();
    }
    return absl::StrReplaceAll(text, {{"@JOB", job}, {"@LEASE", lease}, {"@BLOB", blob}});
  }

  // A call that should go well.
  template <class Response>
  static Response Ask(grpc::GenericStub& stub, const std::string& method, const Message& request) {
    const grpc::Slice slice(request.SerializeAsString());
    const std::vector<grpc::ByteBuffer> messages = {grpc::ByteBuffer(&slice, 1)};
    grpc::ClientContext context;
    Reactor reactor(messages);
    stub.PrepareBidiStreamingCall(&context, method, grpc::StubOptions(), &reactor);
    reactor.Begin();
    reactor.Wait();
    Response response;
    response.ParseFromString(reactor.first());
    return response;
  }

  static std::unique_ptr<server::Server> Start(const std::string& folder) {
    ddsp::testing::TestVoiceOptions voice;
    voice.name = "violin";
    voice.rnn_channels = voice.channels = 4;
    voice.harmonics = 3;
    ddsp::testing::WriteTestBundle(folder + "/models", voice);
    server::ServerOptions options;
    options.model_repository = folder + "/models";
    options.jobs.data_dir = folder + "/data";
    options.listen = options.admin_listen = "127.0.0.1:0";
    options.metrics_listen = "";
    options.max_sessions = 4;
    // Nobody listens there; every call is traced.
    options.otlp_endpoint = "127.0.0.1:1";
    options.trace_ratio = 1;
    absl::StatusOr<std::unique_ptr<server::Server>> server = server::Server::Start(options);
    DDSP_CHECK(server.ok(), server.status().ToString().c_str());
    return *std::move(server);
  }

  static std::shared_ptr<grpc::Channel> Channel(int port) {
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  }

  static void Exchange(grpc::GenericStub& stub, const FuzzCall& call, const std::vector<grpc::ByteBuffer>& messages) {
    grpc::ClientContext context;
    for (const auto& [key, value] : call.metadata) {
      if (CanBeSent(key, value)) context.AddMetadata(key, value);
    }
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    Reactor reactor(messages);
    stub.PrepareBidiStreamingCall(&context, call.method, grpc::StubOptions(), &reactor);
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

// Mostly changes a message of the call; now and then its bytes, the number of its messages, its metadata or its method.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  auto call = ddsp::FuzzCall::Parse(std::string(reinterpret_cast<const char*>(data), size));
  const auto* method = ddsp::FindMethod(call.method);
  const size_t at = call.messages.empty() ? 0 : random() % call.messages.size();
  static const auto& methods = *new std::vector<std::string>(ddsp::MethodNames());
  switch (random() % 16) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 3: {
      call.method = methods[random() % methods.size()];
      const auto message = ddsp::NewInput(*ddsp::FindMethod(call.method));
      for (unsigned i = random() % 8; i > 0; --i) ddsp::fuzz::Mutate(message.get(), random);
      call.messages.assign(1, "");
      ddsp::TextFormat::PrintToString(*message, &call.messages[0]);
      break;
    }
    case 4: {
      if (call.metadata.empty()) return LLVMFuzzerMutate(data, size, max_size);
      std::string& value = call.metadata[random() % call.metadata.size()].second;
      std::vector<uint8_t> bytes(value.begin(), value.end());
      bytes.resize(value.size() + 16);
      bytes.resize(LLVMFuzzerMutate(bytes.data(), value.size(), bytes.size()));
      value.assign(bytes.begin(), bytes.end());
      break;
    }
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
