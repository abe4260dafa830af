// Jobs as a user meets them: the program, against the real service, with a worker in this process.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/sdk/blob_transfer.h"
#include "client/sdk/channel.h"
#include "client/sdk/jobs_client.h"
#include "core/base/file.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/faulty_jobs.h"
#include "tests/client/support/jobs_server.h"
#include "tests/support/run_program.h"

namespace ddsp::testing {
namespace {

namespace fs = std::filesystem;
using client::Fault;
using client::FaultyJobs;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// As RunProgram(), with a terminal of 120 columns.
ProgramResult RunOnTerminal(const std::string& command) {
  winsize size = {.ws_row = 24, .ws_col = 120};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  ProgramResult result;
  char part[4096];
  for (ssize_t got; (got = read(terminal, part, sizeof part)) > 0;) result.said.append(part, got);
  int status = 0;
  waitpid(child, &status, 0);
  close(terminal);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

class JobCommand : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) {
    fs::create_directories(fs::path(Path(name)).parent_path());
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
    return Path(name);
  }
  std::string WriteSound(const std::string& name, uint64_t seed = 1) {
    fs::create_directories(fs::path(Path(name)).parent_path());
    EXPECT_TRUE(WriteWav(Path(name), {16000, 1, TestMelody(8000, 16000, seed)}).ok());
    return Path(name);
  }
  static ProgramResult Ddsp(const std::string& arguments) {
    return RunProgram(std::string("DDSP_SERVER= ") + DDSP_PROGRAM + " job " + arguments);
  }
  ProgramResult Job(const std::string& arguments) { return Ddsp(arguments + " --server " + server_.address()); }
  // What a script reads: stdout alone.
  ProgramResult Output(const std::string& arguments, const std::string& before = "") {
    return RunProgram("(" + before + DDSP_PROGRAM + " job " + arguments + " --server " + server_.address() + " 2>" +
                      Path("stderr") + ")");
  }
  json Object(const std::string& arguments) {
    const ProgramResult result = Output(arguments + " --output json");
    EXPECT_EQ(result.exit_code, 0) << arguments << ": " << *ReadFile(Path("stderr"));
    return json::parse(result.said, nullptr, false);
  }
  std::string Submit() {
    WriteSound("sound.wav");
    return Object("submit features --input " + Path("sound.wav")).value("name", "");
  }
  void ExpectFailure(const ProgramResult& result, int exit_code, const std::string& said) {
    EXPECT_EQ(result.exit_code, exit_code) << result.said;
    EXPECT_THAT(result.said, HasSubstr(said));
  }

  // The worker.
  v1::LeasedJob Claim() {
    v1::ClaimJobsRequest request;
    request.set_worker("test");
    for (const char* kind : {"train", "transfer", "render", "features"}) request.add_kinds(kind);
    const auto claimed = Worker().Claim(request);
    EXPECT_TRUE(claimed.ok() && claimed->size() == 1) << claimed.status();
    return claimed->front();
  }
  v1::JobFile Keep(const std::string& path, const std::string& bytes) {
    const auto blob = client::BlobTransfer(channel_, {}).UploadFile(Write("kept", bytes));
    EXPECT_TRUE(blob.ok()) << blob.status();
    v1::JobFile file;
    file.set_path(path);
    file.set_sha256(blob->sha256);
    file.set_size(blob->size);
    return file;
  }
  void Beat(const v1::LeasedJob& leased, int64_t done, const std::string& line,
            const std::vector<v1::JobFile>& examples = {}) {
    v1::HeartbeatRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    request.mutable_progress()->set_done(done);
    request.mutable_progress()->set_total(1000);
    (*request.mutable_progress()->mutable_metrics())["loss"] = 3.5;
    for (const v1::JobFile& example : examples) *request.mutable_progress()->add_examples() = example;
    request.add_log_lines(line);
    const auto answer = Worker().Heartbeat(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
  void Complete(const v1::LeasedJob& leased, const std::vector<v1::JobFile>& files = {}) {
    v1::CompleteJobRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    for (const v1::JobFile& file : files) *request.mutable_result()->add_files() = file;
    const auto job = Worker().Complete(request);
    EXPECT_TRUE(job.ok()) << job.status();
  }
  void Fail(const v1::LeasedJob& leased, const std::string& error) {
    v1::FailJobRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    request.set_error(error);
    request.set_permanent(true);
    EXPECT_TRUE(Worker().Fail(request).ok());
  }
  client::JobsClient& Worker() { return worker_; }
  // A watcher sees the newest state only: it has to have seen one before the next is told.
  void WaitForFile(const std::string& name, const std::string& bytes) {
    while (!fs::exists(Path(name)) || *ReadFile(Path(name)) != bytes) std::this_thread::yield();
  }

  TempDir folder_;
  JobsServer server_;
  const std::shared_ptr<grpc::Channel> channel_ = client::MakeJobsChannel(server_.address());
  client::JobsClient worker_{channel_, {}};
};

TEST_F(JobCommand, SubmitTakesTheRecordingsBelowAFolder) {
  WriteSound("data/a.wav", 1);
  WriteSound("data/deep/er/b.wav", 2);
  WriteSound("data/held-out/c.wav", 3);
  WriteSound("data/.hidden.wav");
  WriteSound("data/.trash/d.wav");
  Write("data/notes.txt", "Recorded on Monday.");
  Write("data/broken.wav", "RIFF");
  const json job = Object("submit train --data " + Path("data") +
                          "/ --recipe vst --name my-cello --steps 300 --seed 7 --priority -3 --set train.batch_size=8 "
                          "--set train.schedule=exponential");
  EXPECT_THAT(job["name"].get<std::string>(), ::testing::StartsWith("jobs/train-"));
  EXPECT_EQ(job["state"], "QUEUED");
  EXPECT_EQ(job["priority"], -3);
  EXPECT_EQ(job["display_name"], "my-cello");
  const json& train = job["spec"]["train"];
  EXPECT_EQ(train["steps"], 300);
  EXPECT_EQ(train["seed"], 7);
  EXPECT_EQ(train["overrides"], (json{"train.batch_size = 8", "train.schedule = 'exponential'"}));
  std::vector<std::string> paths;
  for (const json& file : train["data"]) {
    paths.push_back(file["path"]);
    EXPECT_EQ(*server_.blobs().Read(file["sha256"], 0, 1 << 20), *ReadFile(Path("data/" + paths.back())));
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"a.wav", "deep/er/b.wav", "held-out/c.wav"}));
  const std::string said = *ReadFile(Path("stderr"));
  EXPECT_THAT(said, HasSubstr("3 recordings"));
  EXPECT_THAT(said, HasSubstr("skipped notes.txt: "));
  EXPECT_THAT(said, HasSubstr("skipped broken.wav: "));
  EXPECT_THAT(said, Not(HasSubstr("hidden")));
}

TEST_F(JobCommand, SubmitRefusesWhatNoWorkerTakesBeforeItUploads) {
  WriteSound("data/a.wav", 1);
  const std::string submit = "submit train --data " + Path("data") + " --name v ";
  ExpectFailure(Job(submit + "--set train.batchsize=8"), 1, "'train.batchsize = 8' is of no parameter");
  ExpectFailure(Job(submit + "--set train.batch_size=0"), 1, "a whole number from 1 to 4096");
  ExpectFailure(Job(submit + "--recipe opera"), 2, "solo_instrument");
  EXPECT_EQ(server_.blobs().bytes_used(), 0);
}

TEST_F(JobCommand, SubmitPrintsTheNameAlone) {
  WriteSound("in.wav");
  const ProgramResult result = Output("submit transfer --input " + Path("in.wav") + " --model violin");
  ASSERT_EQ(result.exit_code, 0) << *ReadFile(Path("stderr"));
  ASSERT_THAT(result.said, ::testing::MatchesRegex("jobs/transfer-[0-9a-f]+\n"));
  const json job = Object("get " + result.said.substr(0, result.said.size() - 1));
  EXPECT_EQ(job["spec"]["transfer"]["model"], "violin");
}

// Under whatever name a recording that is held out is there, it is not trained on.
TEST_F(JobCommand, WhatIsHeldOutIsNotTrainedOn) {
  WriteSound("data/a.wav", 1);
  WriteSound("data/b.wav", 2);
  fs::copy(WriteSound("apart.wav", 3), Path("data/copy.wav"));
  const json job = Object("submit train --data " + Path("data") + " --name v --held-out " + Path("data/b.wav") + " " +
                          Path("apart.wav"));
  std::vector<std::string> paths;
  for (const json& file : job["spec"]["train"]["data"]) paths.push_back(file["path"]);
  EXPECT_EQ(paths, (std::vector<std::string>{"a.wav", "held-out/apart.wav", "held-out/b.wav"}));
  ExpectFailure(Job("submit train --data " + Path("data/b.wav") + " --name v --held-out " + Path("data/b.wav")), 1,
                "held out");
}

TEST_F(JobCommand, OtherKindsTakeFilesAndFolders) {
  WriteSound("one/x.wav", 1);
  WriteSound("two/x.wav", 2);
  const json features = Object("submit features --frame-rate 50 --input " + Path("one") + " " + Path("two"));
  EXPECT_EQ(features["spec"]["features"]["frame_rate_hz"], 50);
  EXPECT_EQ(features["spec"]["features"]["inputs"][0]["path"], "one/x.wav");
  EXPECT_EQ(features["spec"]["features"]["inputs"][1]["path"], "two/x.wav");
  Write("f.csv", "time_s,f0_hz,f0_confidence,voiced,loudness_db,power_db\n0,440,1,1,-20,-20\n");
  const json render = Object("submit render --model violin/1 --input " + Path("f.csv"));
  EXPECT_EQ(render["spec"]["render"]["inputs"][0]["path"], "f.csv");
  ExpectFailure(Job("submit features --input " + Path("one/x.wav") + " " + Path("two/x.wav")), 1, "two/x.wav");
}

TEST_F(JobCommand, BadInputIsNamed) {
  Write("text/notes.txt", "no sound");
  fs::create_directories(Path("empty"));
  WriteSound("in.wav");
  const std::string train = "submit train --name v --data ";
  ExpectFailure(Job(train + Path("none")), 1, Path("none"));
  ExpectFailure(Job(train + Path("empty")), 1, Path("empty") + ": no recordings");
  ExpectFailure(Job(train + Path("text")), 1, "notes.txt");
  ExpectFailure(Job("submit transfer --model v --input " + Path("text/notes.txt")), 1, "notes.txt");
  ExpectFailure(Job("submit render --model v --input " + Path("in.wav")), 1, "in.wav: no features");
  ExpectFailure(Job(train + Path("in.wav") + " --recipe tuba"), 2, "tuba");
  ExpectFailure(Job("submit train --name 'My Cello' --data " + Path("in.wav")), 2, "My Cello");
  ExpectFailure(Job(train + Path("in.wav") + " --set batch_size"), 1, "batch_size");
  ExpectFailure(Job(train + Path("in.wav") + " --priority 101"), 2, "--priority");
  ExpectFailure(Ddsp(train + Path("in.wav")), 2, "--server");
  ExpectFailure(Job("get jobs/none"), 1, "JOB_NOT_FOUND");
  ExpectFailure(Job("get ''"), 1, "missing");
  ExpectFailure(Job("wait '{\"job\": 1}'"), 1, "no JSON object with a name");
  ExpectFailure(Job("list --filter 'colour = red'"), 1, "colour");
  EXPECT_EQ(server_.jobs().List({})->jobs.size(), 0);
}

TEST_F(JobCommand, RootAloneReadsWhatNobodyMay) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  WriteSound("data/a.wav");
  fs::permissions(WriteSound("data/b.wav"), fs::perms::none);
  ExpectFailure(Job("submit train --name v --data " + Path("data")), 1, "data/b.wav");
}

TEST_F(JobCommand, AServerThatIsNotThereHasACodeOfItsOwn) {
  const ProgramResult result = Ddsp("get jobs/x --server 127.0.0.1:1");
  ExpectFailure(result, 6, "no ddsp-server answers at 127.0.0.1:1");
  EXPECT_EQ(std::count(result.said.begin(), result.said.end(), '\n'), 1) << result.said;
}

TEST_F(JobCommand, AFullServerNamesTheFile) {
  JobsServer small(/*quota=*/1000);
  const ProgramResult result = Ddsp("submit features --input " + WriteSound("in.wav") + " --server " + small.address());
  ExpectFailure(result, 1, Path("in.wav") + ": ");
  EXPECT_THAT(result.said, HasSubstr("BLOB_QUOTA_EXCEEDED"));
}

TEST_F(JobCommand, TheServerCanComeFromTheEnvironment) {
  const ProgramResult result =
      RunProgram("DDSP_SERVER=" + server_.address() + " " + DDSP_PROGRAM + " job list --output json");
  EXPECT_EQ(result.exit_code, 0) << result.said;
  EXPECT_EQ(json::parse(result.said), (json{{"jobs", json::array()}}));
}

TEST_F(JobCommand, ARequestIsSubmittedOnce) {
  const std::string features = "submit features --request-id r1 --input ";
  const json first = Object(features + WriteSound("a.wav"));
  EXPECT_EQ(Object(features + Path("a.wav"))["name"], first["name"]);
  ExpectFailure(Job(features + WriteSound("b.wav", 2)), 1, "REQUEST_ID_REUSED");
}

TEST_F(JobCommand, WaitTellsOutcomesByItsExitCode) {
  ExpectFailure(Job("wait " + Submit() + " --timeout 0.1"), 5, "is not done: waits for a worker");
  Complete(Claim());
  Submit();
  const json object = Object("list --limit 1");
  Fail(Claim(), "no sound\nin it");
  const ProgramResult failed = Output("wait - --output json", "echo '" + object["jobs"][0].dump() + "' | ");
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(json::parse(failed.said)["state"], "FAILED");
  EXPECT_THAT(*ReadFile(Path("stderr")), HasSubstr("failed: no sound in it"));
  const std::string name = Submit();
  ASSERT_EQ(Job("cancel " + name).exit_code, 0);
  ExpectFailure(Job("wait " + name), 4, "cancelled");
  ExpectFailure(Job("download --out " + Path("out") + " " + name), 4, "cancelled");
}

TEST_F(JobCommand, WaitGoesOnThroughARestart) {
  const std::string name = Submit();
  ProgramResult result;
  std::thread waiting([&] { result = Job("wait " + name.substr(5)); });
  const v1::LeasedJob leased = Claim();
  server_.Stop();
  server_.Start();
  Complete(leased);
  waiting.join();
  ExpectFailure(result, 0, "succeeded");
}

TEST_F(JobCommand, WatchShowsProgressAndKeepsExamplesThroughARestart) {
  const std::string name = Submit();
  ProgramResult result;
  std::thread watching([&] { result = Job("watch " + name + " --interval 0 --examples " + Path("heard")); });
  const v1::LeasedJob leased = Claim();
  Beat(leased, 100, "x", {Keep("example/1.wav", "first")});
  WaitForFile("heard/example/1.wav", "first");
  server_.Stop();
  server_.Start();
  Beat(leased, 200, "x", {Keep("example/1.wav", "better"), Keep("2.wav", "second")});
  WaitForFile("heard/2.wav", "second");
  EXPECT_EQ(*ReadFile(Path("heard/example/1.wav")), "better");
  Complete(leased);
  watching.join();
  EXPECT_EQ(result.exit_code, 0) << result.said;
  EXPECT_THAT(result.said, HasSubstr(name + " file 200 of 1000, loss 3.5"));
  EXPECT_THAT(result.said, HasSubstr("heard/2.wav"));
  EXPECT_THAT(result.said, HasSubstr(name + " succeeded"));
}

TEST_F(JobCommand, WatchDrawsABarOnATerminal) {
  const std::string name = Submit();
  ProgramResult result;
  std::thread watching([&] {
    result = RunOnTerminal(std::string(DDSP_PROGRAM) + " job watch " + name + " --examples " + Path("heard") +
                           " --server " + server_.address());
  });
  const v1::LeasedJob leased = Claim();
  Beat(leased, 500, "x", {Keep("1.wav", "first")});
  WaitForFile("heard/1.wav", "first");
  Complete(leased);
  watching.join();
  EXPECT_EQ(result.exit_code, 0) << result.said;
  EXPECT_THAT(result.said, HasSubstr("\r\033[K[===============               ]  50 % file 500 of 1000, loss 3.5"));
  EXPECT_THAT(result.said, HasSubstr("[==============================] 100 % succeeded, 0 files\r\n"));
}

TEST_F(JobCommand, WatchEndsAsTheJobDoes) {
  const std::string name = Submit();
  Fail(Claim(), "why not");
  const ProgramResult result = Output("watch --output json " + name);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(json::parse(result.said)["error"], "why not");
}

TEST_F(JobCommand, LogsAreFollowedToTheEnd) {
  const std::string name = Submit();
  ProgramResult result;
  std::thread following([&] { result = Output("logs --follow " + name); });
  const v1::LeasedJob leased = Claim();
  for (int i = 0; i < 5; ++i) Beat(leased, i, absl::StrCat("line ", i));
  Complete(leased);
  following.join();
  EXPECT_EQ(result.exit_code, 0);
  for (int i = 0; i < 5; ++i) EXPECT_THAT(result.said, HasSubstr(absl::StrCat("  line ", i, "\n")));
  EXPECT_EQ(std::count(result.said.begin(), result.said.end(), '\n'), 5) << result.said;
  const json lines = Object("logs " + name)["lines"];
  ASSERT_EQ(lines.size(), 5);
  EXPECT_EQ(lines[4]["number"], 5);
  EXPECT_EQ(lines[4]["text"], "line 4");
  ExpectFailure(Job("logs --follow --output json " + name), 2, "--follow");
}

TEST_F(JobCommand, ListTurnsPagesAndFilters) {
  for (int i = 0; i < 5; ++i) Submit();
  Complete(Claim());
  EXPECT_EQ(Object("list --page-size 2")["jobs"].size(), 5);
  EXPECT_EQ(Object("list --page-size 2 --limit 3")["jobs"].size(), 3);
  EXPECT_EQ(Object("list --filter 'done = false'")["jobs"].size(), 4);
  const ProgramResult rows = Output("list --filter 'state = SUCCEEDED AND kind = features'");
  EXPECT_THAT(rows.said, HasSubstr("succeeded"));
  EXPECT_EQ(std::count(rows.said.begin(), rows.said.end(), '\n'), 1);
}

TEST_F(JobCommand, ResultsAreFetchedAndChecked) {
  const std::string name = Submit();
  ExpectFailure(Job("download --out " + Path("out") + " " + name), 5, "is not done");
  Complete(Claim(), {Keep("voice/weights", std::string(2000000, 'w')), Keep("report/loss.json", "{}")});
  for (int round = 0; round < 2; ++round) {
    const ProgramResult result = Output("download --out " + Path("out") + " " + name);
    ASSERT_EQ(result.exit_code, 0) << *ReadFile(Path("stderr"));
    EXPECT_THAT(result.said, HasSubstr("out/voice/weights\n"));
    EXPECT_EQ(*ReadFile(Path("out/voice/weights")), std::string(2000000, 'w'));
    EXPECT_EQ(*ReadFile(Path("out/report/loss.json")), "{}");
    Write("out/voice/weights", "somebody wrote into it");
  }
  EXPECT_EQ(Object("download --out " + Path("o") + " " + name)["files"].size(), 2);
}

TEST_F(JobCommand, CtrlCEndsAWatch) {
  const std::string name = Submit();
  ProgramResult result;
  std::thread watching([&] {
    result = RunProgram("sh -c 'echo $$ > " + Path("pid") + "; exec " + DDSP_PROGRAM + " job watch " + name +
                        " --examples " + Path("heard") + " --server " + server_.address() + "'");
  });
  Beat(Claim(), 1, "x", {Keep("1.wav", "first")});
  WaitForFile("heard/1.wav", "first");
  pid_t pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(*ReadFile(Path("pid")), &pid) && kill(pid, SIGINT) == 0);
  watching.join();
  ExpectFailure(result, 130, "interrupted");
}

// The signal comes while a chunk is on its way.
TEST_F(JobCommand, AnUploadThatWasStoppedGoesOn) {
  constexpr int kSamples = 8'000'000;
  ASSERT_TRUE(WriteWav(Path("long.wav"), {48000, 1, TestMelody(kSamples)}).ok());
  bool killed = false;
  FaultyJobs server([&](int, const std::string& method) {
    pid_t pid = 0;
    if (method == "UploadChunk" && !killed) {
      killed = absl::SimpleAtoi(*ReadFile(Path("pid")), &pid) && kill(pid, SIGINT) == 0;
    }
    return Fault::kNone;
  });
  const std::string command = "sh -c 'echo $$ > " + Path("pid") + "; exec " + DDSP_PROGRAM +
                              " job submit features --input " + Path("long.wav") + " --server " + server.address() +
                              "'";
  ExpectFailure(RunProgram(command), 130, "interrupted");
  EXPECT_LT(server.bytes_received(), 4 * kSamples);
  const ProgramResult again = RunProgram(command);
  EXPECT_EQ(again.exit_code, 0) << again.said;
  EXPECT_LT(server.bytes_received(), 4 * kSamples + (2 << 20)) << "it went on where it had stopped";
}

}  // namespace
}  // namespace ddsp::testing
