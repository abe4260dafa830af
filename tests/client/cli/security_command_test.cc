// Keys, configurations and secured servers as a user meets them.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/sdk/synthesis_stream.h"
#include "client/sdk/unary_calls.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/security/access_table.h"
#include "server/security/api_key.h"
#include "tests/server/live/live_server.h"
#include "tests/server/security/test_pki.h"
#include "tests/support/run_program.h"
#include "tests/support/test_voice.h"

namespace ddsp::client {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult Ddsp(const std::string& arguments, const std::string& environment = "DDSP_TOKEN=") {
  return RunProgram(absl::StrCat("env ", environment, " ", DDSP_PROGRAM, " ", arguments));
}

class SecurityCommandTest : public ::testing::Test {
 protected:
  ~SecurityCommandTest() override {
    if (server_ == nullptr) return;
    server_->BeginDrain();
    server_->FinishDrain(absl::Seconds(5));
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  void StartPlain() {
    server::ServerOptions options = LocalOptions(2);
    options.security.keys_file = Path("keys");
    WriteText(Path("keys"), absl::StrCat("key { tenant: \"studio\" role: STREAM sha256: \"",
                                         server::HexOf(server::HashOfKey("secret-key")), "\" }"));
    Start(options);
  }
  // With TLS too, and clients that show certificates.
  void StartSecured() {
    server::ServerOptions options = LocalOptions(2);
    const PemPair pair = authority_.Issue("server", {"DNS:violins.test"});
    const PemPair client = authority_.Issue("client", {"DNS:client.test"});
    WriteText(Path("ca.crt"), authority_.certificate());
    WriteText(Path("tls.crt"), pair.certificate);
    WriteText(Path("tls.key"), pair.key);
    WriteText(Path("client.crt"), client.certificate);
    WriteText(Path("client.key"), client.key);
    WriteText(Path("token"), "secret-key\n");
    options.security.tls = {Path("tls.crt"), Path("tls.key"), Path("ca.crt")};
    options.security.keys_file = Path("keys");
    WriteText(Path("keys"), absl::StrCat("key { tenant: \"studio\" role: STREAM sha256: \"",
                                         server::HexOf(server::HashOfKey("secret-key")), "\" }"));
    Start(options);
  }
  void Start(const server::ServerOptions& options) {
    auto server = server::Server::Start(options, FakeVoices(2));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Address() const { return absl::StrCat("127.0.0.1:", server_->port()); }
  // `ddsp features` of a second of sound.
  ProgramResult Features(const std::string& flags, const std::string& environment = "DDSP_TOKEN=") {
    EXPECT_TRUE(WriteWav(Path("in.wav"), {16000, 1, TestMelody(16000, 16000, 1)}).ok());
    return Ddsp(
        absl::StrCat("features ", Path("in.wav"), " --out ", Path("out.csv"), " --server ", Address(), " ", flags),
        environment);
  }
  ServerAddress Secured() const {
    ServerAddress address(Address());
    address.security = {.ca_file = Path("ca.crt"),
                        .cert_file = Path("client.crt"),
                        .key_file = Path("client.key"),
                        .server_name = "violins.test",
                        .token_file = Path("token")};
    return address;
  }

  const std::string folder_ = FreshFolder("security_command_test");
  const TestAuthority authority_{"authority"};
  std::unique_ptr<server::Server> server_;
};

TEST_F(SecurityCommandTest, ANewKeyIsOneThatItsLineKnows) {
  const ProgramResult made =
      RunProgram(absl::StrCat("(", DDSP_PROGRAM,
                              " auth new-key --tenant studio --role stream --role publish --note 'the iPad' "
                              "--expires 2099-01-31T00:00:00Z 2>",
                              Path("line"), ")"));
  ASSERT_EQ(made.exit_code, 0) << made.said;
  const std::string key = made.said.substr(0, made.said.find('\n'));
  EXPECT_EQ(made.said, key + "\n") << "a script takes the key as it comes";
  std::ifstream line(Path("line"));
  const std::string file{std::istreambuf_iterator<char>(line), {}};
  const auto table = server::AccessTable::Parse(file, "line", {});
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(table->FindKey(key), nullptr);
  EXPECT_TRUE(table->FindKey(key)->principal.roles.Has(server::Role::kPublish));
  EXPECT_EQ(table->FindKey(key)->expires, absl::FromUnixSeconds(4073500800));
  EXPECT_EQ(Ddsp("auth new-key --tenant Studio").exit_code, 1);
  EXPECT_EQ(Ddsp("auth new-key --tenant studio --role boss").exit_code, 2);
  EXPECT_EQ(Ddsp("auth new-key --tenant studio --expires soon").exit_code, 1);
}

TEST_F(SecurityCommandTest, AConfigurationIsChecked) {
  WriteText(Path("good"), "max_sessions: 64\n");
  WriteText(Path("bad"), "max_sessions: 64\nmax_cats: 9\n");
  const ProgramResult good = Ddsp("config check " + Path("good"));
  EXPECT_EQ(good.exit_code, 0) << good.said;
  EXPECT_THAT(good.said, HasSubstr("max_sessions: 64\n"));
  const ProgramResult bad = Ddsp("config check " + Path("bad"));
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.said, HasSubstr("bad:2:"));
  EXPECT_EQ(Ddsp("config check").exit_code, 2);
}

TEST_F(SecurityCommandTest, ATokenComesFromTheEnvironmentOrAFile) {
  StartPlain();
  const ProgramResult refused = Features("");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.said, HasSubstr("TOKEN_MISSING"));
  const ProgramResult played = Features("", "DDSP_TOKEN=secret-key");
  EXPECT_EQ(played.exit_code, 0) << played.said;
  WriteText(Path("token"), "secret-key\n");
  EXPECT_EQ(Features("--token-file " + Path("token")).exit_code, 0);
  EXPECT_THAT(Features("", "DDSP_TOKEN=wrong").said, HasSubstr("TOKEN_INVALID"));
}

TEST_F(SecurityCommandTest, TlsAndCertificatesAreFlags) {
  StartSecured();
  const std::string ca = absl::StrCat("--tls-ca ", Path("ca.crt"), " --tls-server-name violins.test"),
                    shown = absl::StrCat(" --tls-cert ", Path("client.crt"), " --tls-key ", Path("client.key")),
                    token = absl::StrCat(" --token-file ", Path("token"));
  const ProgramResult played = Features(ca + shown + token);
  EXPECT_EQ(played.exit_code, 0) << played.said;
  EXPECT_THAT(Features(ca + shown).said, HasSubstr("TOKEN_MISSING"));
  EXPECT_NE(Features("--tls-ca " + Path("ca.crt") + shown + token).exit_code, 0) << "the name is another";
}

TEST_F(SecurityCommandTest, WhatIsWrongWithTheFlagsIsUsage) {
  const std::string command = "model list --server violins.example:8001 ";
  const ProgramResult plain = Ddsp(command, "DDSP_TOKEN=secret-key");
  EXPECT_EQ(plain.exit_code, 2);
  EXPECT_THAT(plain.said, HasSubstr("plain text"));
  EXPECT_THAT(plain.said, Not(HasSubstr("secret-key")));
  EXPECT_THAT(Ddsp(command + "--tls-ca /nowhere/ca.crt").said, HasSubstr("/nowhere/ca.crt"));
  EXPECT_EQ(Ddsp(command + "--tls-cert " + Path("x")).exit_code, 2);
}

TEST_F(SecurityCommandTest, TheSdkStreamsOverTls) {
  StartSecured();
  ASSERT_TRUE(CheckAddress(Secured()).ok());
  StreamOptions options;
  options.model = "violin";
  auto stream = SynthesisStream::Open(Secured(), options);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_TRUE((*stream)->Write(std::vector<float>(3200, 0.5f)).ok());
  EXPECT_TRUE((*stream)->Finish().ok());
  EXPECT_TRUE((*stream)->ReadAllAudio().ok());
  // The file is read for each call.
  WriteText(Path("token"), "another");
  EXPECT_EQ(SynthesisStream::Open(Secured(), options).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST(ServerAddress, ATokenStaysOnThisMachineOrGoesEncrypted) {
  for (const char* target : {"127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/x", "dns:///localhost:1",
                             "ipv4:127.0.0.1:1", "localhost:1,127.0.0.2:2"}) {
    EXPECT_TRUE(CheckAddress({target, {.token = "t"}}).ok()) << target;
  }
  for (const char* target :
       {"violins:1", "10.0.0.1:1", "localhost.evil:1", "dns:///violins:1", "localhost:1,violins:1"}) {
    EXPECT_EQ(CheckAddress({target, {.token = "t"}}).code(), absl::StatusCode::kFailedPrecondition) << target;
    EXPECT_TRUE(CheckAddress({target, {.tls = true, .token = "t"}}).ok()) << target;
  }
}

TEST(ServerAddress, APartOfANameIsStillThatName) {
  EXPECT_EQ(SecurityForPart("dns:///violins.example:8001").server_name, "violins.example");
  EXPECT_EQ(SecurityForPart("violins.example:8001").server_name, "");
  EXPECT_EQ(SecurityForPart({"dns:///violins:1", {.server_name = "given"}}).server_name, "given");
}

}  // namespace
}  // namespace ddsp::client
