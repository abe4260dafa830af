// grpc.reflection.v1 and v1alpha: tells tools such as grpcurl which services there are and what their messages hold.
#pragma once

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.pb.h"
#include "server/rpc/method_table.h"

namespace ddsp::server {

// The answer to one question; an unknown name is answered with NOT_FOUND inside it. Both versions have the same
// messages, but for their names.
grpc::reflection::v1::ServerReflectionResponse Reflect(const grpc::reflection::v1::ServerReflectionRequest& request,
                                                       const std::vector<std::string>& services);

// `services` are those listed, besides reflection itself.
void AddReflection(const std::vector<std::string>& services, MethodTable* methods);

}  // namespace ddsp::server
