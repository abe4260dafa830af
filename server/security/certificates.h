// The server's certificate, its key, and who signs clients' certificates: read, checked, and read again when the files
// change. A pair that does not belong together, as for a moment while files are replaced one by one, is never used.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "server/security/security_options.h"
#include "server/security/watched_files.h"

namespace ddsp::server {

struct Certificates {
  std::string chain, key;  // PEM
  std::string client_ca;   // PEM; empty: clients need no certificate
};

// Errors: those of reading, INVALID_ARGUMENT for what is no certificate or key, or a key of another certificate; each
// names the flag and the file.
absl::StatusOr<Certificates> ReadCertificates(const TlsOptions& options);

// Thread-safe.
class CertificateSource {
 public:
  // `say` is told, in one line, when certificates were replaced, and why they were not.
  CertificateSource(const TlsOptions& options, std::function<void(const std::string&)> say)
      : options_(options),
        say_(std::move(say)),
        files_({options.cert_file, options.key_file, options.client_ca_file}) {}

  // What the files hold, the first time and whenever it is new; nothing while it is what was given last, or unfit.
  std::optional<Certificates> News();

 private:
  const TlsOptions options_;
  const std::function<void(const std::string&)> say_;
  Mutex mu_;
  WatchedFiles files_ ABSL_GUARDED_BY(mu_);
  bool first_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace ddsp::server
