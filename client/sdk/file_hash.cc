#include "client/sdk/file_hash.h"

#include <openssl/evp.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "client/sdk/open_file.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

absl::StatusOr<Blob> HashFile(const std::string& path, const Cancellation* cancellation) {
  constexpr int64_t kPart = 1 << 20;
  ASSIGN_OR_RETURN(const OpenFile file, OpenFile::Open(path, O_RDONLY));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  DDSP_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is there");
  Blob blob;
  std::string bytes;
  do {
    if (cancellation != nullptr) RETURN_IF_ERROR(cancellation->status());
    RETURN_IF_ERROR(file.Read(blob.size, kPart, &bytes));
    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
    blob.size += static_cast<int64_t>(bytes.size());
  } while (!bytes.empty());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  blob.sha256 = absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
  return blob;
}

}  // namespace ddsp::client
