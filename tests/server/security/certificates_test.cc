#include "server/security/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/server/security/test_pki.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

class CertificatesTest : public ::testing::Test {
 protected:
  void Write(const PemPair& pair) {
    WriteText(options_.cert_file, pair.certificate);
    WriteText(options_.key_file, pair.key);
  }
  void ExpectWrong(const std::string& part) {
    EXPECT_THAT(std::string(ReadCertificates(options_).status().message()), HasSubstr(part));
  }

  const std::string folder_ = FreshFolder("certificates_test");
  const TestAuthority authority_{"authority"};
  const PemPair one_ = authority_.Issue("one", {"DNS:localhost"}), two_ = authority_.Issue("two", {"DNS:localhost"});
  TlsOptions options_{.cert_file = folder_ + "/tls.crt", .key_file = folder_ + "/tls.key", .client_ca_file = ""};
  std::vector<std::string> said_;
};

TEST_F(CertificatesTest, ReadsAPairAndWhoSignsClients) {
  Write(one_);
  options_.client_ca_file = folder_ + "/ca.crt";
  WriteText(options_.client_ca_file, authority_.certificate());
  const auto read = ReadCertificates(options_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->chain, one_.certificate);
  EXPECT_EQ(read->client_ca, authority_.certificate());
}

TEST_F(CertificatesTest, NamesWhatIsWrong) {
  ExpectWrong("--tls-cert");
  Write({one_.certificate, two_.key});
  ExpectWrong("is not the key of the certificate");
  Write({"nothing", one_.key});
  ExpectWrong("--tls-cert '" + options_.cert_file + "' holds no certificate");
  Write({one_.certificate, "nothing"});
  ExpectWrong("--tls-key");
  Write(one_);
  options_.client_ca_file = options_.key_file;
  ExpectWrong("--tls-client-ca");
}

TEST_F(CertificatesTest, GivesWhatIsNewOnce) {
  Write(one_);
  CertificateSource source(options_, [this](const std::string& line) { said_.push_back(line); });
  ASSERT_TRUE(source.News().has_value());
  EXPECT_FALSE(source.News().has_value());
  EXPECT_TRUE(said_.empty());
  Write(two_);
  EXPECT_EQ(source.News()->chain, two_.certificate);
  EXPECT_FALSE(source.News().has_value());
  EXPECT_EQ(said_.size(), 1u);
}

// Between the two files that are replaced one after the other, a connection may begin.
TEST_F(CertificatesTest, HalfAPairIsNotTaken) {
  Write(one_);
  CertificateSource source(options_, [this](const std::string& line) { said_.push_back(line); });
  source.News();
  WriteText(options_.cert_file, two_.certificate);
  EXPECT_FALSE(source.News().has_value());
  WriteText(options_.key_file, two_.key);
  EXPECT_EQ(source.News()->chain, two_.certificate);
  std::filesystem::remove(options_.cert_file);
  EXPECT_FALSE(source.News().has_value());
}

}  // namespace
}  // namespace ddsp::server
