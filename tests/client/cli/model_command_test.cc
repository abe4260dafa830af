// Publishing and serving of voices as an operator meets them: the program, against a real server.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/model_changes.h"
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

  void Serve(int port = 0) {
    server::ServerOptions options;
    options.model_repository = repository_.path();
    options.admin_listen = "127.0.0.1:0";
    options.listen = absl::StrCat("127.0.0.1:", port);
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

// `ddsp model watch` while it runs; what it says on stdout.
class Watching {
 public:
  explicit Watching(const std::string& server, const std::string& more = "--output json") {
    int said[2];
    EXPECT_EQ(pipe(said), 0);
    const std::string command = absl::StrCat("exec ", DDSP_PROGRAM, " model watch ", more, " --server ", server);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(said[1], STDOUT_FILENO);
      close(said[0]);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(said[1]);
    lines_ = fdopen(said[0], "r");
  }
  ~Watching() {
    if (pid_ > 0) Interrupt();
    fclose(lines_);
  }

  // Null at the end.
  json Next() {
    char line[4096];
    if (std::fgets(line, sizeof line, lines_) == nullptr) return nullptr;
    return json::parse(line, nullptr, /*allow_exceptions=*/false);
  }
  // All up to one that says this.
  std::vector<json> Until(const std::string& key, const json& value, int64_t version) {
    std::vector<json> lines;
    for (json line = Next(); !line.is_null(); line = Next()) {
      lines.push_back(line);
      if (line.value(key, json()) == value && (version == 0 || line.value("version", int64_t{0}) == version))
        return lines;
    }
    ADD_FAILURE() << "the end came before " << key << " " << value;
    return lines;
  }
  int Wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Interrupt() {
    kill(pid_, SIGINT);
    return Wait();
  }

 private:
  pid_t pid_ = 0;
  FILE* lines_ = nullptr;
};

std::vector<std::string> StatesOf(const std::vector<json>& lines, int64_t version) {
  std::vector<std::string> states;
  for (const json& line : lines) {
    if (line.contains("state") && line["version"] == version) states.push_back(line["state"]);
  }
  return states;
}

TEST_F(ModelCommand, WatchTellsWhatHappens) {
  Serve();
  Watching watching(open());
  const std::vector<json> first = watching.Until("serving_version", 1, 0);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0]["model"], "kazoo");
  EXPECT_EQ(first[0]["state"], "READY");
  EXPECT_FALSE(first[0].contains("before"));
  ASSERT_EQ(Model("push " + voice() + " --repository " + repository_.path() + " --server " + admin()).exit_code, 0);
  const std::vector<json> swap = watching.Until("state", "UNLOADED", 1);
  EXPECT_THAT(StatesOf(swap, 2), ::testing::Contains("READY"));
  EXPECT_EQ(StatesOf(swap, 1).back(), "UNLOADED");
  EXPECT_TRUE(std::any_of(swap.begin(), swap.end(), [](const json& line) {
    return line.value("serving_version", 0) == 2 && line["before"] == 1;
  }));
  ASSERT_EQ(Model("alias kazoo@best 2 --server " + admin()).exit_code, 0);
  EXPECT_EQ(watching.Until("alias", "best", 2).back()["before"], 0);
  EXPECT_EQ(watching.Interrupt(), 0);
}

TEST_F(ModelCommand, WatchSaysThatTheServerHasGone) {
  Serve();
  Watching watching(open(), "kazoo --output json");
  watching.Until("serving_version", 1, 0);
  server_.reset();
  EXPECT_TRUE(watching.Next().is_null());
  EXPECT_EQ(watching.Wait(), 6);
  ExpectFailure(Model("watch --server 127.0.0.1:1"), 6, "no ddsp-server answers at 127.0.0.1:1");
  ExpectFailure(Model("watch kazoo/1 --server 127.0.0.1:1"), 1, "no name of a model");
}

TEST_F(ModelCommand, WatchOutlastsARestartAndTellsWhatIsNew) {
  Serve();
  const int port = server_->port();
  Watching watching(open(), "--retry --output json 2>/dev/null");
  watching.Until("serving_version", 1, 0);
  server_.reset();
  WriteTestBundle(repository_.path(), {.name = "kazoo", .seed = 2}, 2);
  Serve(port);
  const std::vector<json> news = watching.Until("serving_version", 2, 0);
  EXPECT_THAT(StatesOf(news, 2), ElementsAre("READY"));
  EXPECT_THAT(StatesOf(news, 1), ElementsAre("UNLOADED")) << "the policy keeps the newest";
  EXPECT_EQ(watching.Interrupt(), 0);
}

v1::Model AModel(const std::map<int64_t, v1::VersionState>& versions, const std::map<std::string, int64_t>& aliases,
                 int64_t serving) {
  v1::Model model;
  model.set_name("models/violin");
  model.set_serving_version(serving);
  model.mutable_aliases()->insert(aliases.begin(), aliases.end());
  for (const auto& [number, state] : versions) {
    v1::ModelVersion* version = model.add_versions();
    version->set_version(number);
    version->set_state(state);
    if (state == v1::VERSION_STATE_UNAVAILABLE) version->set_reason("no weights");
    if (state == v1::VERSION_STATE_UNLOADING) version->mutable_loaded()->set_sessions(3);
  }
  return model;
}

std::vector<std::string> Texts(const std::vector<client::ModelChange>& changes) {
  std::vector<std::string> texts;
  for (const client::ModelChange& change : changes) texts.push_back(client::TextOf(change));
  return texts;
}

TEST(ModelChanges, AreWhatIsNewAndNoMore) {
  client::ModelChanges changes;
  const v1::Model first = AModel({{1, v1::VERSION_STATE_READY}}, {{"best", 1}}, 1);
  EXPECT_THAT(Texts(changes.Take(first)),
              ElementsAre("violin/1 ready", "violin@best is violin/1", "violin is violin/1"));
  EXPECT_THAT(changes.Take(first), IsEmpty());
  EXPECT_THAT(
      Texts(changes.Take(AModel({{1, v1::VERSION_STATE_UNLOADING}, {2, v1::VERSION_STATE_READY}}, {{"best", 1}}, 2))),
      ElementsAre("violin/1 unloading, 3 sessions", "violin/2 ready", "violin is violin/2"));
  EXPECT_THAT(
      Texts(changes.Take(AModel({{2, v1::VERSION_STATE_UNAVAILABLE}}, {}, 0))),
      ElementsAre("violin/2 unavailable: no weights", "violin/1 gone", "violin@best is gone", "violin serves nothing"));
}

TEST(ModelChanges, WhatIsMissingFromAllIsGone) {
  client::ModelChanges changes;
  changes.Take(AModel({{1, v1::VERSION_STATE_READY}}, {}, 1));
  EXPECT_THAT(Texts(changes.TakeAll({})), ElementsAre("violin/1 gone", "violin serves nothing"));
  EXPECT_THAT(changes.TakeAll({}), IsEmpty());
}

TEST(ModelChanges, AreObjectsForPrograms) {
  client::ModelChanges changes;
  changes.Take(AModel({{1, v1::VERSION_STATE_LOADING}}, {}, 0));
  const auto news = changes.Take(AModel({{1, v1::VERSION_STATE_UNAVAILABLE}}, {{"best", 1}}, 0));
  ASSERT_EQ(news.size(), 2u);
  EXPECT_EQ(client::ToJson(news[0], absl::UnixEpoch()).dump(),
            R"({"time":"1970-01-01T00:00:00.000Z","model":"violin","version":1,"state":"UNAVAILABLE",)"
            R"("before":"LOADING","reason":"no weights"})");
  EXPECT_EQ(client::ToJson(news[1], absl::UnixEpoch()).dump(),
            R"({"time":"1970-01-01T00:00:00.000Z","model":"violin","alias":"best","version":1,"before":0})");
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
