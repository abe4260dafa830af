#include "load-tests/soak/known_methods.h"

#include "absl/strings/str_cat.h"
#include "ddsp/v1/features.pb.h"
#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/jobs.pb.h"
#include "ddsp/v1/models.pb.h"
#include "ddsp/v1/session.pb.h"
#include "ddsp/v1/sessions.pb.h"
#include "inference/grpc_service.pb.h"
#include "load-tests/soak/infer_requests.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/whole_requests.h"

namespace ddsp::soak {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

}  // namespace

const std::vector<const MethodDescriptor*>& KnownMethods() {
  static const auto& methods = *[] {
    auto* found = new std::vector<const MethodDescriptor*>;
    for (const FileDescriptor* file :
         {v1::SessionConfig::descriptor()->file(), v1::ExtractRequest::descriptor()->file(),
          v1::GraphSpec::descriptor()->file(), v1::Job::descriptor()->file(), v1::Model::descriptor()->file(),
          v1::Session::descriptor()->file(), inference::ModelInferRequest::descriptor()->file()}) {
      for (int i = 0; i < file->service_count(); ++i) {
        for (int j = 0; j < file->service(i)->method_count(); ++j) found->push_back(file->service(i)->method(j));
      }
    }
    return found;
  }();
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

std::unique_ptr<Message> PlausibleMessage(Visit& visit, const MethodDescriptor& method) {
  auto message =
      std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
  if (auto* session = dynamic_cast<v1::StreamSessionRequest*>(message.get())) {
    *session->mutable_config() = FloatConfig(visit.Voice());
  } else if (auto* render = dynamic_cast<v1::RenderRequest*>(message.get())) {
    *render = SomeRender(visit);
  } else if (auto* extract = dynamic_cast<v1::ExtractRequest*>(message.get())) {
    *extract = SomeExtract(visit);
  } else if (auto* graph = dynamic_cast<v1::RunGraphRequest*>(message.get())) {
    *graph = SomeGraph(visit);
  } else if (auto* infer = dynamic_cast<inference::ModelInferRequest*>(message.get())) {
    *infer = Infer(visit.Voice(), visit.Music(visit.Between(0, 4000)));
  } else {
    // Most others name something.
    for (const char* name : {"name", "model", "model_name"}) {
      const auto* field = message->GetDescriptor()->FindFieldByName(name);
      if (field == nullptr || field->is_repeated()) continue;
      if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) continue;
      message->GetReflection()->SetString(message.get(), field, visit.Chance(0.5) ? visit.Voice() : "models/violin");
    }
  }
  return message;
}

}  // namespace ddsp::soak
