#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/security/server_credentials.h"
#include "server/security/security_options.h"

namespace ddsp::server {

// TLS 1.2 or 1.3 with the certificates of the files as they are when a connection begins: connections that are there
// go on with what they began with. For one port; they outlive its server. Plain text where the options name no
// certificate. `say` is told of replacements, on threads of gRPC. Errors: those of ReadCertificates().
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsOptions& options, std::function<void(const std::string&)> say);

}  // namespace ddsp::server
