#include "server/session/snapshot_seal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr absl::string_view kMagic = "DDSP";
constexpr char kForm = 1;
constexpr size_t kMacBytes = 32, kHeaderBytes = kMagic.size() + 1 + kMacBytes;
constexpr size_t kLeastKeyBytes = 32;

std::string Sign(const std::string& key, char form, absl::string_view payload) {
  return HmacSha256(key, absl::StrCat(std::string(1, form), payload));
}

std::string RandomKey() {
  std::string key(kLeastKeyBytes, '\0');
  DDSP_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1,
             "the system has random numbers");
  return key;
}

absl::Status Invalid(absl::string_view why, const ErrorMetadata& values = {}) {
  return MakeError(Reason::kSnapshotInvalid, absl::StrCat("the snapshot to resume from ", why), values);
}

}  // namespace

SnapshotSeal::SnapshotSeal(Options options, const Clock& time_of_day)
    : options_([&] {
        if (options.keys.empty()) options.keys.push_back(RandomKey());
        return std::move(options);
      }()),
      time_of_day_(time_of_day) {}

std::string SnapshotSeal::Seal(v1::SessionState& state) const {
  state.set_taken_unix_nanos(absl::ToUnixNanos(time_of_day_.Now()));
  const std::string payload = state.SerializeAsString();
  return absl::StrCat(kMagic, std::string(1, kForm), Sign(options_.keys.front(), kForm, payload), payload);
}

absl::StatusOr<v1::SessionState> SnapshotSeal::Open(absl::string_view sealed) const {
  if (sealed.size() < kHeaderBytes || sealed.substr(0, kMagic.size()) != kMagic) return Invalid("is none");
  const char form = sealed[kMagic.size()];
  const absl::string_view mac = sealed.substr(kMagic.size() + 1, kMacBytes), payload = sealed.substr(kHeaderBytes);
  const bool known = std::any_of(options_.keys.begin(), options_.keys.end(), [&](const std::string& key) {
    return CRYPTO_memcmp(Sign(key, form, payload).data(), mac.data(), kMacBytes) == 0;
  });
  if (!known) return Invalid("was not signed by this service, or was changed");
  v1::SessionState state;
  if (form != kForm || !state.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return MakeError(Reason::kStateLost,
                     absl::StrCat("the snapshot is of form ", int{form}, ", this server knows ", int{kForm}));
  }
  const absl::Duration age = time_of_day_.Now() - absl::FromUnixNanos(state.taken_unix_nanos());
  if (age > options_.lifetime) {
    return Invalid(
        absl::StrCat("is ", absl::FormatDuration(age), " old, of at most ", absl::FormatDuration(options_.lifetime)),
        {{"age_seconds", absl::StrCat(absl::ToInt64Seconds(age))},
         {"lifetime_seconds", absl::StrCat(absl::ToInt64Seconds(options_.lifetime))}});
  }
  return state;
}

absl::StatusOr<std::vector<std::string>> ReadSessionKeys(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::vector<std::string> keys;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (line.size() < kLeastKeyBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ", line ", number, ": a key has ", kLeastKeyBytes, " bytes or more, not ", line.size()));
    }
    keys.emplace_back(line);
  }
  if (keys.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": no key"));
  return keys;
}

}  // namespace ddsp::server
