#include "server/security/access_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/security/api_key.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;

std::string KeyLine(const std::string& key, const std::string& rest) {
  return absl::StrCat("key { sha256: \"", HexOf(HashOfKey(key)), "\" ", rest, " }\n");
}

void ExpectComplaint(const std::string& text, const std::vector<std::string>& parts) {
  const auto table = AccessTable::Parse(text, "keys", {});
  ASSERT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << text;
  for (const std::string& part : parts) EXPECT_THAT(std::string(table.status().message()), HasSubstr(part));
}

TEST(AccessTable, FindsWhoHasAKey) {
  const auto table = AccessTable::Parse(
      KeyLine("a", "tenant: \"studio\" role: STREAM role: PUBLISH") + KeyLine("b", "tenant: \"ops\" role: ADMIN"),
      "keys", {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->keys(), 2u);
  const auto* a = table->FindKey("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->principal.tenant, "studio");
  EXPECT_TRUE(a->principal.roles.Has(Role::kStream) && a->principal.roles.Has(Role::kPublish));
  EXPECT_FALSE(a->principal.roles.Has(Role::kAdmin));
  EXPECT_EQ(table->FindKey("b")->principal.tenant, "ops");
  EXPECT_EQ(table->FindKey("c"), nullptr);
  EXPECT_EQ(table->FindKey(""), nullptr);
}

TEST(AccessTable, TenantsHaveLimitsOrTheDefaults) {
  const TenantLimits defaults = {.sessions = 4, .queued_jobs = 5, .calls = 6};
  const auto table = AccessTable::Parse("tenant { name: \"big\" max_sessions: 64 max_calls: -1 }\n" +
                                            KeyLine("a", "tenant: \"big\" role: STREAM") +
                                            KeyLine("b", "tenant: \"small\" role: STREAM"),
                                        "keys", defaults);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->FindKey("a")->principal.limits, (TenantLimits{.sessions = 64, .queued_jobs = 5, .calls = 0}));
  EXPECT_EQ(table->FindKey("b")->principal.limits, defaults);
  EXPECT_EQ(table->LimitsOf("unheard-of"), defaults);
}

TEST(AccessTable, CertificatesAreKnownByAName) {
  const auto table =
      AccessTable::Parse("certificate { tenant: \"workers\" role: PUBLISH san: \"spiffe://test/worker\" }", "keys", {});
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(table->FindCertificate({"localhost", "spiffe://test/worker"}), nullptr);
  EXPECT_EQ(table->FindCertificate({"spiffe://test"}), nullptr);
  EXPECT_EQ(table->FindCertificate({}), nullptr);
}

TEST(AccessTable, SaysWhatIsWrongAndWhere) {
  ExpectComplaint("# ok\nkey { tenant: \"a\" colour: \"red\" }", {"keys:2:", "colour"});
  ExpectComplaint("key {", {"keys:1:"});
  ExpectComplaint(KeyLine("a", "tenant: \"Studio\" role: STREAM"), {"key 1", "'Studio'"});
  ExpectComplaint(KeyLine("a", "tenant: \"a\" note: \"the iPad\""), {"key 1 (the iPad)", "no role"});
  ExpectComplaint("key { tenant: \"a\" role: STREAM sha256: \"abc\" }", {"key 1", "64 hexadecimal"});
  ExpectComplaint(KeyLine("a", "tenant: \"a\" role: STREAM") + KeyLine("a", "tenant: \"b\" role: STREAM"),
                  {"key 2", "twice"});
  ExpectComplaint(KeyLine("a", "tenant: \"a\" role: STREAM expire_time: \"soon\""), {"'soon'"});
  ExpectComplaint("tenant { name: \"a\" } tenant { name: \"a\" }", {"tenant 'a'", "twice"});
  ExpectComplaint("certificate { tenant: \"a\" role: ADMIN }", {"san is empty"});
}

TEST(ApiKey, KeysDifferAndFitAHeader) {
  const std::string key = NewApiKey();
  EXPECT_EQ(key.size(), 5u + 43u);
  EXPECT_EQ(key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_NE(key, NewApiKey());
}

TEST(ApiKey, HashIsSha256) {
  EXPECT_EQ(HexOf(HashOfKey("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HashFromHex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), HashOfKey("abc"));
  EXPECT_EQ(HashFromHex("ba78"), std::nullopt);
  EXPECT_EQ(HashFromHex(std::string(64, 'g')), std::nullopt);
}

}  // namespace
}  // namespace ddsp::server
