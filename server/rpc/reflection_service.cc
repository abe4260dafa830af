#include "server/rpc/reflection_service.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "server/errors/errors.h"
#include "server/rpc/call.h"

namespace ddsp::server {
namespace {

namespace reflection = grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr const char* kServices[] = {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"};

// A file after those that it needs.
void AddWithDependencies(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
                         reflection::FileDescriptorResponse* files) {
  if (!seen->insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) AddWithDependencies(file->dependency(i), seen, files);
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  files->add_file_descriptor_proto(proto.SerializeAsString());
}

void AnswerFile(const FileDescriptor* file, const std::string& asked, reflection::ServerReflectionResponse* response) {
  if (file == nullptr) {
    response->mutable_error_response()->set_error_code(static_cast<int>(absl::StatusCode::kNotFound));
    response->mutable_error_response()->set_error_message(absl::StrCat("not found: ", asked));
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddWithDependencies(file, &seen, response->mutable_file_descriptor_response());
}

const FileDescriptor* FileOfExtension(const reflection::ExtensionRequest& request) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const auto* type = pool.FindMessageTypeByName(request.containing_type());
  if (type == nullptr) return nullptr;
  const FieldDescriptor* field = pool.FindExtensionByNumber(type, request.extension_number());
  return field == nullptr ? nullptr : field->file();
}

void AnswerExtensions(const std::string& type_name, reflection::ServerReflectionResponse* response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const auto* type = pool.FindMessageTypeByName(type_name);
  if (type == nullptr) return AnswerFile(nullptr, type_name, response);
  std::vector<const FieldDescriptor*> extensions;
  pool.FindAllExtensions(type, &extensions);
  response->mutable_all_extension_numbers_response()->set_base_type_name(type_name);
  for (const FieldDescriptor* extension : extensions) {
    response->mutable_all_extension_numbers_response()->add_extension_number(extension->number());
  }
}

// One question after the other, until the client has none left. The bytes of both versions are the same.
class ReflectionCall : public CallHandler {
 public:
  ReflectionCall(Call& call, const std::vector<std::string>& services) : call_(call), services_(services) {
    call_.Read();
  }

  void OnRead(grpc::ByteBuffer* message) override {
    if (message == nullptr) return call_.Finish(absl::OkStatus());
    reflection::ServerReflectionRequest request;
    if (!Parse(message, &request)) {
      return call_.Finish(
          MakeError(Reason::kMessageMalformed, "a message is no grpc.reflection.v1.ServerReflectionRequest"));
    }
    call_.Write(Reflect(request, services_));
  }
  void OnWritten(bool ok) override { ok ? call_.Read() : call_.Finish(absl::CancelledError("the client is gone")); }

 private:
  Call& call_;
  const std::vector<std::string> services_;
};

}  // namespace

reflection::ServerReflectionResponse Reflect(const reflection::ServerReflectionRequest& request,
                                             const std::vector<std::string>& services) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  reflection::ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case reflection::ServerReflectionRequest::kFileByFilename:
      AnswerFile(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(), &response);
      break;
    case reflection::ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), request.file_containing_symbol(),
                 &response);
      break;
    case reflection::ServerReflectionRequest::kFileContainingExtension:
      AnswerFile(FileOfExtension(request.file_containing_extension()),
                 request.file_containing_extension().containing_type(), &response);
      break;
    case reflection::ServerReflectionRequest::kAllExtensionNumbersOfType:
      AnswerExtensions(request.all_extension_numbers_of_type(), &response);
      break;
    case reflection::ServerReflectionRequest::kListServices:
      for (const std::string& name : services) response.mutable_list_services_response()->add_service()->set_name(name);
      break;
    case reflection::ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
      response.mutable_error_response()->set_error_message("the request asks nothing");
      break;
  }
  return response;
}

void AddReflection(const std::vector<std::string>& services, MethodTable* methods) {
  std::vector<std::string> all = services;
  all.insert(all.end(), std::begin(kServices), std::end(kServices));
  for (const char* service : kServices) {
    methods->Add(service, "ServerReflectionInfo",
                 [all](Call& call) { return std::make_unique<ReflectionCall>(call, all); });
  }
}

}  // namespace ddsp::server
