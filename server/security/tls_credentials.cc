#include "server/security/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <utility>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/security/certificates.h"

namespace ddsp::server {
namespace {

// gRPC's FileWatcherCertificateProvider would read the files once in a while on a thread of its own, and take a broken
// pair over, after which nobody can connect. The C library asks at each handshake instead, and may be told: as before.
class ReloadingCredentials : public grpc::ServerCredentials {
 public:
  ReloadingCredentials(const TlsOptions& options, std::function<void(const std::string&)> say)
      : source_(options, std::move(say)),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                options.client_ca_file.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                               : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
                &ReloadingCredentials::Fetch, this))) {}
  ~ReloadingCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    DDSP_CHECK(false, "calls are authorised by the Gate");
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    const std::optional<Certificates> news = static_cast<ReloadingCredentials*>(self)->source_.News();
    if (!news.has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {news->key.c_str(), news->chain.c_str()};
    // The library wants authorities in any case; where it asks clients for no certificate it does not use them.
    const std::string& authorities = news->client_ca.empty() ? news->chain : news->client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  CertificateSource source_;
  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsOptions& options, std::function<void(const std::string&)> say) {
  if (!options.enabled()) return grpc::InsecureServerCredentials();
  RETURN_IF_ERROR(ReadCertificates(options).status());
  return std::make_shared<ReloadingCredentials>(options, std::move(say));
}

}  // namespace ddsp::server
