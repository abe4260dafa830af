#include "core/artifacts/oci_layout.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/artifacts/oci_registry.h"
#include "core/base/file.h"
#include "core/models/staged_version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::ddsp::testing::TempDir;
using ::ddsp::testing::WriteTestBundle;
using ::testing::HasSubstr;

class OciLayout : public ::testing::Test {
 protected:
  absl::Status Add(const std::string& tag) {
    return AddToOciLayout(ReadsBelow(bundle_), {{"org.opencontainers.image.title", "test-voice"}}, tag, layout());
  }
  std::string layout() const { return folder_.path() + "/layout"; }

  TempDir folder_;
  const std::string bundle_ = WriteTestBundle(folder_.path());
};

TEST_F(OciLayout, GivesBackEveryFile) {
  ASSERT_TRUE(Add("test-voice-1").ok());
  const auto artifact = OpenOciLayout(layout(), "test-voice-1");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->manifest.annotations.at("org.opencontainers.image.title"), "test-voice");
  const ReadBundleFile read = ReadsArtifact(*artifact);
  for (const char* path :
       {"MANIFEST.textproto", "model.textproto", "weights.safetensors", "golden/golden.safetensors"}) {
    EXPECT_EQ(*read(path), *ReadFile(bundle_ + "/" + path)) << path;
  }
  EXPECT_EQ(read("nothing").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OciLayout, IsWhatTheSpecificationSays) {
  ASSERT_TRUE(Add("one").ok());
  EXPECT_EQ(nlohmann::json::parse(*ReadFile(layout() + "/oci-layout")),
            (nlohmann::json{{"imageLayoutVersion", "1.0.0"}}));
  const auto index = nlohmann::json::parse(*ReadFile(layout() + "/index.json"));
  ASSERT_EQ(index["manifests"].size(), 1);
  const auto& descriptor = index["manifests"][0];
  const std::string digest = descriptor["digest"];
  const std::string blob = *ReadFile(layout() + "/blobs/sha256/" + digest.substr(7));
  EXPECT_EQ(descriptor["size"], blob.size());
  const auto manifest = nlohmann::json::parse(blob);
  EXPECT_EQ(manifest["schemaVersion"], 2);
  // The well-known digest of "{}".
  EXPECT_EQ(manifest["config"]["digest"], "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  for (const auto& layer : manifest["layers"]) {
    const std::string path = layer["digest"].get<std::string>().substr(7);
    EXPECT_EQ(std::filesystem::file_size(layout() + "/blobs/sha256/" + path), layer["size"]);
  }
}

TEST_F(OciLayout, ATagIsReplacedAndOthersStay) {
  ASSERT_TRUE(Add("one").ok() && Add("two").ok() && Add("one").ok());
  EXPECT_TRUE(OpenOciLayout(layout(), "one").ok());
  EXPECT_TRUE(OpenOciLayout(layout(), "two").ok());
  const absl::Status which = OpenOciLayout(layout(), "").status();
  EXPECT_EQ(which.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(which.message()), HasSubstr("two, one"));
  EXPECT_THAT(std::string(OpenOciLayout(layout(), "three").status().message()), HasSubstr("no 'three'"));
}

TEST_F(OciLayout, ADamagedBlobIsNoticed) {
  ASSERT_TRUE(Add("one").ok());
  const auto artifact = OpenOciLayout(layout(), "one");
  ASSERT_TRUE(artifact.ok());
  const std::string path = layout() + "/blobs/sha256/" + artifact->manifest.files.back().digest.substr(7);
  std::string content = *ReadFile(path);
  content.front() ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path, content).ok());
  EXPECT_EQ(ReadsArtifact(*artifact)(artifact->manifest.files.back().path).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(OciManifest, RefusesWhatIsNoVoice) {
  const auto error = [](const std::string& text) { return std::string(ParseOciManifest(text).status().message()); };
  const std::string type = R"("artifactType": "application/vnd.ddsp.voice.v1")";
  EXPECT_THAT(error("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("no JSON object"));
  EXPECT_THAT(error(R"({"artifactType": "application/vnd.cncf.helm.config.v1+json"})"), HasSubstr("vnd.cncf.helm"));
  EXPECT_THAT(error("{" + type + R"(, "layers": [3]})"), HasSubstr("no object"));
  EXPECT_THAT(error("{" + type + R"(, "layers": [{"digest": "sha256:../../etc/passwd"}]})"), HasSubstr("no digest"));
  EXPECT_THAT(error("{" + type + R"(, "layers": [{"digest": ")" + OciDigest("") + R"("}]})"), HasSubstr("no size"));
}

TEST(OciReference, ReadsWhatOtherToolsTake) {
  const auto reference = OciReference::Parse("oci://registry.example.org:5000/team/violin:3");
  ASSERT_TRUE(reference.ok()) << reference.status();
  EXPECT_EQ(reference->registry, "registry.example.org:5000");
  EXPECT_EQ(reference->repository, "team/violin");
  EXPECT_EQ(reference->tag, "3");
  EXPECT_EQ(reference->base_url(), "https://registry.example.org:5000");
  EXPECT_EQ(OciReference::Parse("oci://localhost:5000/violin")->base_url(), "http://localhost:5000");
  EXPECT_EQ(OciReference::Parse("oci://host/violin")->tag, "latest");
  EXPECT_EQ(OciReference::Parse("oci://host/violin@" + OciDigest(""))->tag, OciDigest(""));
  for (const char* wrong :
       {"oci://", "oci://host", "oci:///violin", "oci://host/violin:", "oci://host/vio lin", "host/violin"}) {
    EXPECT_EQ(OciReference::Parse(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(OciTokenUrl, IsBuiltFromTheChallenge) {
  EXPECT_EQ(OciTokenUrl(
                R"(Bearer realm="https://auth.example.org/token",service="r.example.org",scope="repository:a/b:pull")"),
            "https://auth.example.org/token?service=r.example.org&scope=repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(OciTokenUrl("Basic realm=\"r\""), "");
  EXPECT_EQ(OciTokenUrl(""), "");
  EXPECT_EQ(OciTokenUrl("Bearer realm=\"unended"), "");
}

}  // namespace
}  // namespace ddsp
