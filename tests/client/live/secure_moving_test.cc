// Sessions go on elsewhere where every server asks for TLS, a certificate and a token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/sdk/resuming_stream.h"
#include "server/security/api_key.h"
#include "server/server.h"
#include "tests/server/security/test_pki.h"
#include "tests/support/test_voice.h"

namespace ddsp::client {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary

class SecureMoving : public ::testing::Test {
 protected:
  SecureMoving() {
    WriteTestBundle(Path("models"), {.name = "kazoo"});
    const PemPair server = authority_.Issue("server", {"DNS:violins.test"});
    const PemPair client = authority_.Issue("client", {"DNS:client.test"});
    WriteText(Path("ca.crt"), authority_.certificate());
    WriteText(Path("tls.crt"), server.certificate);
    WriteText(Path("tls.key"), server.key);
    WriteText(Path("client.crt"), client.certificate);
    WriteText(Path("client.key"), client.key);
    WriteText(Path("token"), "player\n");
    WriteText(Path("session_keys"), std::string(40, 'k') + "\n");
    for (auto& server : servers_) server = Serve("player");
  }
  ~SecureMoving() override {
    for (const auto& server : servers_) {
      server->BeginDrain();
      server->FinishDrain(absl::Seconds(5));
    }
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::unique_ptr<server::Server> Serve(const std::string& key) const {
    server::ServerOptions options;
    options.model_repository = Path("models");
    options.listen = "127.0.0.1:0";
    options.metrics_listen = options.admin_listen = "";
    options.max_sessions = 4;
    options.max_device_load = 0;
    options.session_key_file = Path("session_keys");
    options.security.tls = {Path("tls.crt"), Path("tls.key"), Path("ca.crt")};
    options.security.keys_file = Path("keys_of_" + key);
    WriteText(options.security.keys_file, absl::StrCat("key { tenant: \"studio\" role: STREAM sha256: \"",
                                                       server::HexOf(server::HashOfKey(key)), "\" }"));
    auto server = server::Server::Start(options);
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }
  std::unique_ptr<ResumingStream> Open(absl::Duration give_up_after = absl::Seconds(30)) const {
    ServerAddress servers(absl::StrCat("127.0.0.1:", servers_[0]->port(), ",127.0.0.1:", servers_[1]->port()),
                          {.ca_file = Path("ca.crt"),
                           .cert_file = Path("client.crt"),
                           .key_file = Path("client.key"),
                           .server_name = "violins.test",
                           .token_file = Path("token")});
    StreamOptions options;
    options.model = "kazoo";
    options.input.sample_rate = 16000;
    ResumeOptions resume;
    resume.retry.give_up_after = give_up_after;
    auto stream = ResumingStream::Open(servers, options, resume);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }

  const TempDir folder_;
  const TestAuthority authority_{"authority"};
  const std::vector<float> melody_ = TestMelody(12000);
  std::unique_ptr<server::Server> servers_[2];
};

TEST_F(SecureMoving, ASessionGoesOnWithItsCertificateAndToken) {
  const auto undisturbed = Open();
  ASSERT_TRUE(undisturbed->Write(melody_).ok());
  ASSERT_TRUE(undisturbed->Finish().ok());
  const std::vector<float> expected = *undisturbed->ReadAllAudio();
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).first(6000)).ok());
  servers_[0]->BeginDrain();
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).subspan(6000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  const auto audio = stream->ReadAllAudio();
  ASSERT_TRUE(audio.ok()) << audio.status();
  EXPECT_EQ(*audio, expected) << "to the bit";
  ASSERT_EQ(stream->resumptions().size(), 1u);
  EXPECT_EQ(stream->resumptions()[0].to, absl::StrCat("127.0.0.1:", servers_[1]->port()));
}

// A snapshot is no pass.
TEST_F(SecureMoving, WhoeverDoesNotKnowTheTokenDoesNotGoOn) {
  servers_[1] = Serve("somebody else");
  const auto stream = Open(absl::Milliseconds(500));
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).first(6000)).ok());
  servers_[0]->BeginDrain();
  EXPECT_FALSE(stream->ReadAllAudio().ok());
  EXPECT_EQ(servers_[1]->live_sessions(), 0);
}

}  // namespace
}  // namespace ddsp::client
