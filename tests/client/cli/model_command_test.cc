// Publishing and serving of voices as an operator meets them: the program, against a real server.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/model_text.h"
#include "core/base/file.h"
#include "core/models/aliases.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/server.h"
#include "tests/support/run_program.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class ModelCommand : public ::testing::Test {
 protected:
  ModelCommand() {
    WriteTestBundle(repository_.path(), {.name = "kazoo"}, 1);
    WriteTestBundle(studio_.path(), {.name = "kazoo", .seed = 2}, 7);
  }

  void Serve() {
    server::ServerOptions options;
    options.model_repository = repository_.path();
    options.listen = options.admin_listen = "127.0.0.1:0";
    options.metrics_listen = "";
    options.max_sessions = 4;
    auto server = server::Server::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string admin() const { return absl::StrCat("127.0.0.1:", server_->admin_port()); }
  std::string open() const { return absl::StrCat("127.0.0.1:", server_->port()); }

  static ProgramResult Model(const std::string& arguments) {
    return RunProgram(absl::StrCat(DDSP_PROGRAM, " model ", arguments));
  }
  // What a script reads: stdout alone.
  static json Output(const std::string& arguments) {
    const ProgramResult result = RunProgram(absl::StrCat("(", DDSP_PROGRAM, " model ", arguments, " 2>/dev/null)"));
    EXPECT_EQ(result.exit_code, 0) << result.said;
    return json::parse(result.said, nullptr, /*allow_exceptions=*/false);
  }
  void ExpectFailure(const ProgramResult& result, int exit_code, const std::string& said) {
    EXPECT_EQ(result.exit_code, exit_code) << result.said;
    EXPECT_THAT(result.said, HasSubstr(said));
  }
  std::string voice() const { return studio_.path() + "/kazoo/7"; }

  TempDir repository_, studio_;
  std::unique_ptr<server::Server> server_;
};

TEST_F(ModelCommand, PushPublishesTheNextVersion) {
  fs::create_directory(repository_.path() + "/kazoo/5");  // no version, but a number that is taken
  ASSERT_TRUE(WriteFileAtomically(voice() + "/MODEL_CARD.md", "A kazoo.").ok());
  ASSERT_TRUE(WriteFileAtomically(voice() + ".md", "A kazoo, beside.").ok());
  ASSERT_TRUE(WriteFileAtomically(voice() + "/notes", "Mine.").ok());
  const json pushed = Output("push " + voice() + " --repository " + repository_.path() + " --output json");
  EXPECT_EQ(pushed["name"], "kazoo");
  EXPECT_EQ(pushed["version"], 6);
  EXPECT_EQ(Model("verify " + repository_.path() + "/kazoo/6").exit_code, 0);
  EXPECT_TRUE(fs::exists(repository_.path() + "/kazoo/6/MODEL_CARD.md"));
  EXPECT_TRUE(fs::exists(repository_.path() + "/kazoo/6.md"));
  EXPECT_FALSE(fs::exists(repository_.path() + "/kazoo/6/notes"));
  EXPECT_EQ(Model("push " + voice() + " --repository " + studio_.path() + "/new").exit_code, 0);
  EXPECT_TRUE(fs::exists(studio_.path() + "/new/kazoo/1/MANIFEST.textproto"));
}

TEST_F(ModelCommand, PushLeavesNothingOfABadVoice) {
  fs::resize_file(voice() + "/weights.safetensors", 100);
  ExpectFailure(Model("push " + voice() + " --repository " + repository_.path()), 1, "weights.safetensors");
  const auto entries = fs::directory_iterator(repository_.path() + "/kazoo");
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(ModelCommand, AVoiceGoesThroughItsLife) {
  Serve();
  ASSERT_EQ(Model("push " + voice() + " --repository " + repository_.path() + " --server " + admin()).exit_code, 0);
  json model = Output("list --server " + open() + " --output json")["models"][0];
  EXPECT_EQ(model["name"], "kazoo");
  EXPECT_EQ(model["serving_version"], 2);
  EXPECT_EQ(model["versions"][1]["state"], "READY");
  EXPECT_EQ(model["versions"][1]["sample_rate_hz"], 16000);
  EXPECT_EQ(model["versions"][1]["latency_ms"], 52);

  EXPECT_EQ(Model("load kazoo/1 --server " + admin()).exit_code, 0);
  EXPECT_EQ(Model("unload kazoo/2 --server " + admin()).exit_code, 0);
  model = Output("list --server " + open() + " --output json")["models"][0];
  EXPECT_EQ(model["serving_version"], 1) << "rolled back";

  EXPECT_EQ(Output("alias kazoo@best 1 --output json --server " + admin())["aliases"]["best"], 1);
  EXPECT_THAT(*ReadAliases(repository_.path() + "/kazoo"), ElementsAre(Pair("best", 1)));
  EXPECT_EQ(Model("alias kazoo@best --delete --server " + admin()).exit_code, 0);
  EXPECT_THAT(*ReadAliases(repository_.path() + "/kazoo"), IsEmpty());
}

TEST_F(ModelCommand, ErrorsOfTheServerAreTold) {
  Serve();
  ExpectFailure(Model("load piano --server " + admin()), 1, "MODEL_NOT_FOUND");
  ExpectFailure(Model("load kazoo --server " + open()), 1, "ADMIN_PORT_ONLY");
  ExpectFailure(Model("load kazoo/x --server " + admin()), 1, "MODEL/VERSION");
  ExpectFailure(Model("alias kazoo 1 --server " + admin()), 1, "MODEL@ALIAS");
  ExpectFailure(Model("alias kazoo@best 0 --server " + admin()), 2, "VERSION");
  ExpectFailure(Model("load kazoo"), 2, "--server");
}

TEST_F(ModelCommand, ListsARepositoryWithoutAServer) {
  ASSERT_EQ(Model("alias kazoo@best --repository " + repository_.path()).exit_code, 0);
  const json model = Output("list --repository " + repository_.path() + " --output json")["models"][0];
  EXPECT_EQ(model["name"], "kazoo");
  EXPECT_EQ(model["aliases"]["best"], 1);
  EXPECT_EQ(model["versions"][0]["latency_samples"], 832);
  const ProgramResult text = Model("list " + repository_.path());
  EXPECT_THAT(text.said, HasSubstr("kazoo/1  16000 Hz"));
  EXPECT_THAT(text.said, HasSubstr("kazoo@best  is kazoo/1"));
  ExpectFailure(Model("alias kazoo@best 9 --repository " + repository_.path()), 1, "kazoo/9");
}

TEST(ModelTable, HasARowForEachVersion) {
  v1::Model model;
  model.set_name("models/violin");
  model.set_serving_version(2);
  (*model.mutable_aliases())["champion"] = 2;
  (*model.mutable_aliases())["best"] = 2;
  v1::ModelVersion* two = model.add_versions();
  two->set_version(2);
  two->set_state(v1::VERSION_STATE_READY);
  two->mutable_loaded()->set_sample_rate_hz(16000);
  two->mutable_loaded()->set_latency_samples(832);
  two->mutable_loaded()->set_sessions(3);
  two->mutable_loaded()->set_slots(256);
  v1::ModelVersion* three = model.add_versions();
  three->set_version(3);
  three->set_state(v1::VERSION_STATE_UNAVAILABLE);
  three->set_reason("violin/3/weights.safetensors: 100 bytes");
  EXPECT_EQ(client::ModelTable({model}),
            "MODEL  VERSION  STATE       DEFAULT ALIASES             RATE   LATENCY  SESSIONS\n"
            "violin       2  ready       yes     best,champion   16000 Hz     52 ms     3/256\n"
            "violin       3  unavailable -                              -         -         -\n"
            "  violin/3/weights.safetensors: 100 bytes\n");
}

}  // namespace
}  // namespace ddsp::testing
