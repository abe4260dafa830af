#include "server/security/access_table.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/access.pb.h"
#include "server/security/api_key.h"

namespace ddsp::server {
namespace {

class Complaints : public google::protobuf::io::ErrorCollector {
 public:
  explicit Complaints(const std::string& file) : file_(file) {}
  void AddError(int line, int, const std::string& message) override {
    all_.push_back(absl::StrCat(file_, ":", line + 1, ": ", message));
  }
  void Add(const std::string& entry, const std::string& problem) {
    all_.push_back(absl::StrCat(file_, ": ", entry, ": ", problem));
  }
  absl::Status status() const {
    return all_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrJoin(all_, "\n"));
  }

 private:
  const std::string file_;
  std::vector<std::string> all_;
};

std::optional<Role> RoleOf(int role) {
  switch (role) {
    case v1::AccessFile::STREAM:
      return Role::kStream;
    case v1::AccessFile::PUBLISH:
      return Role::kPublish;
    case v1::AccessFile::ADMIN:
      return Role::kAdmin;
    default:
      return std::nullopt;
  }
}

// What a key and a certificate have in common.
template <typename Entry>
Principal PrincipalOf(const Entry& entry, const std::string& name, Complaints* complaints) {
  Principal principal{.tenant = entry.tenant()};
  if (!IsTenantName(entry.tenant())) {
    complaints->Add(name, absl::StrCat("tenant '", entry.tenant(), "' is not of the form [a-z][a-z0-9-]{0,62}"));
  }
  for (const int role : entry.role()) {
    const std::optional<Role> known = RoleOf(role);
    known.has_value() ? principal.roles.Add(*known) : complaints->Add(name, absl::StrCat("role ", role, " is none"));
  }
  if (principal.roles.empty()) complaints->Add(name, "has no role: STREAM, PUBLISH or ADMIN");
  return principal;
}

int64_t Bound(int64_t given, int64_t usual) { return given == 0 ? usual : given < 0 ? 0 : given; }

}  // namespace

absl::StatusOr<AccessTable> AccessTable::Parse(const std::string& text, const std::string& file,
                                               const TenantLimits& defaults) {
  Complaints complaints(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&complaints);
  v1::AccessFile message;
  parser.ParseFromString(text, &message);
  RETURN_IF_ERROR(complaints.status());

  AccessTable table(defaults);
  for (const v1::AccessFile::Tenant& tenant : message.tenant()) {
    const std::string name = absl::StrCat("tenant '", tenant.name(), "'");
    if (!IsTenantName(tenant.name())) complaints.Add(name, "is not of the form [a-z][a-z0-9-]{0,62}");
    const TenantLimits limits = {.sessions = Bound(tenant.max_sessions(), defaults.sessions),
                                 .queued_jobs = Bound(tenant.max_queued_jobs(), defaults.queued_jobs),
                                 .calls = Bound(tenant.max_calls(), defaults.calls)};
    if (!table.tenants_.emplace(tenant.name(), limits).second) complaints.Add(name, "is there twice");
  }
  std::set<std::string> hashes;
  for (int i = 0; i < message.key_size(); ++i) {
    const v1::AccessFile::Key& key = message.key(i);
    const std::string name = absl::StrCat("key ", i + 1, key.note().empty() ? "" : absl::StrCat(" (", key.note(), ")"));
    Key entry{.hash = HashFromHex(key.sha256()).value_or(""),
              .known = {.principal = PrincipalOf(key, name, &complaints)}};
    if (entry.hash.empty()) complaints.Add(name, "sha256 is not 64 hexadecimal digits");
    if (!entry.hash.empty() && !hashes.insert(entry.hash).second) complaints.Add(name, "is there twice");
    std::string why;
    if (!key.expire_time().empty() &&
        !absl::ParseTime(absl::RFC3339_full, key.expire_time(), &entry.known.expires, &why)) {
      complaints.Add(name, absl::StrCat("expire_time '", key.expire_time(), "' is no time like 2027-01-31T00:00:00Z"));
    }
    entry.known.principal.limits = table.LimitsOf(key.tenant());
    table.keys_.push_back(std::move(entry));
  }
  for (const v1::AccessFile::Certificate& certificate : message.certificate()) {
    const std::string name = absl::StrCat("certificate '", certificate.san(), "'");
    Known known{.principal = PrincipalOf(certificate, name, &complaints)};
    known.principal.limits = table.LimitsOf(certificate.tenant());
    if (certificate.san().empty()) complaints.Add(name, "san is empty");
    if (!table.certificates_.emplace(certificate.san(), std::move(known)).second) {
      complaints.Add(name, "is there twice");
    }
  }
  RETURN_IF_ERROR(complaints.status());
  return table;
}

const AccessTable::Known* AccessTable::FindKey(std::string_view key) const {
  const std::string hash = HashOfKey(key);
  const Known* found = nullptr;
  for (const Key& known : keys_) {
    if (SameHash(known.hash, hash)) found = &known.known;
  }
  return found;
}

const AccessTable::Known* AccessTable::FindCertificate(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (const auto found = certificates_.find(name); found != certificates_.end()) return &found->second;
  }
  return nullptr;
}

TenantLimits AccessTable::LimitsOf(const std::string& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? defaults_ : found->second;
}

}  // namespace ddsp::server
