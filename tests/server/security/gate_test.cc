#include "server/security/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/security/api_key.h"
#include "tests/server/security/test_pki.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kStream[] = "/ddsp.v1.Synthesis/StreamSession", kRun[] = "/ddsp.v1.Graph/Run",
               kWatch[] = "/ddsp.v1.Models/Watch";

std::string KeyLine(const std::string& tenant, const std::string& key) {
  return absl::StrCat("key { tenant: \"", tenant, "\" role: STREAM sha256: \"", HexOf(HashOfKey(key)), "\" }\n");
}

class GateTest : public ::testing::Test {
 protected:
  void Open(const std::string& keys) {
    WriteText(file_, keys);
    SecurityOptions options;
    options.keys_file = file_;
    options.tenant_defaults = {.sessions = 2, .queued_jobs = 0, .calls = 1};
    auto gate = Gate::Open(options, {.time_of_day = &clock_,
                                     .say = [this](const std::string& line) { said_.push_back(line); },
                                     .on_refused = [this](std::string_view r) { refused_.emplace_back(r); }});
    ASSERT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
  }
  absl::StatusOr<Pass> Admit(const char* method, const std::string& key) {
    return gate_->Admit(method, {.authorization = "Bearer " + key, .certificate_names = {}});
  }

  const std::string file_ = FreshFolder("gate_test") + "/keys.textproto";
  SimClock clock_;
  std::vector<std::string> said_, refused_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, WithoutKeysItIsOpenToAnybody) {
  const auto gate = *Gate::Open({}, {.time_of_day = &clock_});
  EXPECT_TRUE(gate->is_open());
  EXPECT_TRUE(gate->Admit("/ddsp.v1.Models/Load", {})->caller.roles.Has(Role::kAdmin));
}

TEST_F(GateTest, ATenantHasSoManySessionsAtOnce) {
  Open(KeyLine("a", "key-a") + KeyLine("a", "key-b") + KeyLine("other", "key-c"));
  std::optional<absl::StatusOr<Pass>> first = Admit(kStream, "key-a");
  const auto second = Admit(kStream, "key-b");
  ASSERT_TRUE(first->ok() && second.ok());
  const absl::Status third = Admit(kStream, "key-a").status();
  EXPECT_EQ(third.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(third), "SESSION_QUOTA_EXCEEDED");
  EXPECT_EQ(MetadataOf(third).at("limit"), "2");
  EXPECT_TRUE(IsQuotaError(third));
  EXPECT_THAT(refused_, ElementsAre("SESSION_QUOTA_EXCEEDED"));
  EXPECT_TRUE(Admit(kStream, "key-c").ok()) << "another tenant";
  first.reset();
  EXPECT_TRUE(Admit(kStream, "key-b").ok());
}

TEST_F(GateTest, CallsAreCountedApartAndWatchingIsFree) {
  Open(KeyLine("a", "key-a"));
  const auto run = Admit(kRun, "key-a");
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(ReasonOf(Admit(kRun, "key-a").status()), "CALL_QUOTA_EXCEEDED");
  EXPECT_TRUE(Admit(kStream, "key-a").ok());
  std::vector<absl::StatusOr<Pass>> watchers;
  for (int i = 0; i < 10; ++i) watchers.push_back(Admit(kWatch, "key-a"));
  EXPECT_TRUE(watchers.back().ok());
}

TEST_F(GateTest, KeysAreReadAgainWhenTheFileChanges) {
  Open(KeyLine("a", "old"));
  gate_->Refresh(Gate::Reload::kWhereChanged);
  EXPECT_TRUE(said_.empty());
  WriteText(file_, KeyLine("a", "brand-new") + KeyLine("b", "another"));
  EXPECT_EQ(ReasonOf(Admit(kStream, "brand-new").status()), "TOKEN_INVALID");
  gate_->Refresh(Gate::Reload::kWhereChanged);
  EXPECT_TRUE(Admit(kStream, "brand-new").ok());
  EXPECT_EQ(ReasonOf(Admit(kStream, "old").status()), "TOKEN_INVALID");
  EXPECT_EQ(said_.size(), 1u);
  gate_->Refresh(Gate::Reload::kNow);
  EXPECT_EQ(said_.size(), 2u);
}

TEST_F(GateTest, AFileThatIsWrongChangesNothing) {
  Open(KeyLine("a", "good"));
  WriteText(file_, "key { tenant: \"a\" what: 1 }");
  gate_->Refresh(Gate::Reload::kWhereChanged);
  EXPECT_TRUE(Admit(kStream, "good").ok());
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_THAT(said_[0], HasSubstr("keys.textproto:1"));
}

TEST_F(GateTest, AFileThatIsNotThereIsAnErrorAtTheStart) {
  SecurityOptions options;
  options.keys_file = "/nowhere/keys";
  EXPECT_THAT(std::string(Gate::Open(options, {.time_of_day = &clock_}).status().message()),
              HasSubstr("--auth-keys '/nowhere/keys'"));
}

TEST(TenantQuotas, ALeaseMovesAndEndsOnce) {
  TenantQuotas quotas;
  const Principal tenant = {.tenant = "a", .roles = RoleSet::All(), .limits = {.sessions = 1}};
  {
    TenantQuotas::Lease moved = *quotas.Take(tenant, Charge::kSession);
    TenantQuotas::Lease last = std::move(moved);
    moved = TenantQuotas::Lease();
    EXPECT_EQ(quotas.Out("a", Charge::kSession), 1);
  }
  EXPECT_EQ(quotas.Out("a", Charge::kSession), 0);
  EXPECT_TRUE(quotas.Take(tenant, Charge::kCall).ok()) << "no bound";
}

TEST(WarningsOf, NamesWhatIsOpen) {
  SecurityOptions options;
  EXPECT_THAT(WarningsOf(options, {"127.0.0.1:0", "localhost:1", "[::1]:1", "unix:/x", ""}), ElementsAre());
  EXPECT_THAT(WarningsOf(options, {"0.0.0.0:8001"}), ElementsAre(HasSubstr("asks for no token")));
  options.keys_file = "keys";
  EXPECT_THAT(WarningsOf(options, {"0.0.0.0:8001"}), ElementsAre(HasSubstr("plain text")));
  options.tls.cert_file = "cert";
  EXPECT_THAT(WarningsOf(options, {"0.0.0.0:8001"}), ElementsAre());
}

}  // namespace
}  // namespace ddsp::server
