#include "server/registry/curator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/models/bundle_format.h"
#include "server/errors/errors.h"
#include "tests/server/support/fake_engine.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using ddsp::testing::FakeEngine;
using ddsp::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// Knows how many of its kind there are.
class CountedEngine : public FakeEngine {
 public:
  explicit CountedEngine(std::atomic<int>& count) : FakeEngine(2), count_(count) { ++count_; }
  ~CountedEngine() override { --count_; }

 private:
  std::atomic<int>& count_;
};

// Wakes who waits for a change of the curator's.
class Bell {
 public:
  void Ring() {
    const MutexLock lock(&mu_);
    ++rings_;
    rung_.NotifyAll();
  }
  // Waits until `holds`, which is looked at after each change.
  void WaitUntil(const std::function<bool()>& holds) {
    while (true) {
      int64_t before = 0;
      {
        const MutexLock lock(&mu_);
        before = rings_;
      }
      if (holds()) return;
      const MutexLock lock(&mu_);
      while (rings_ == before) rung_.Wait(&mu_);
    }
  }

 private:
  Mutex mu_;
  CondVar rung_;
  int64_t rings_ ABSL_GUARDED_BY(mu_) = 0;
};

// The golden voice is made once: its files are copied for every version.
const std::string& GoldenBundle() {
  static const auto* directory = new TempDir();
  static const std::string path = ddsp::testing::WriteTestBundle(directory->path(), {.name = "kazoo"});
  return path;
}

class CuratorTest : public ::testing::Test {
 protected:
  static std::string Publish(const std::string& repository, int64_t version, const std::string& model = "kazoo") {
    const std::string directory = absl::StrCat(repository, "/", model, "/", version);
    fs::create_directories(directory + "/golden");
    for (const char* file : {kSpecFile, kWeightsFile, kGoldenFile, kManifestFile}) {
      fs::copy_file(GoldenBundle() + "/" + file, directory + "/" + file);
    }
    if (model != "kazoo") Rename(directory, model);
    return directory;
  }
  std::string Publish(int64_t version) { return Publish(repository_.path(), version); }

  // The name in the specification, and what the manifest says of it.
  static void Rename(const std::string& directory, const std::string& model) {
    fs::remove_all(directory);
    Voice voice = **ReadBundle(GoldenBundle());
    voice.spec.set_name(model);
    ASSERT_TRUE(WriteBundle(directory, voice, WeightStorage::kFloat32).ok());
  }

  Curator::Options Options() {
    return {.repositories = {{.directory = repository_.path()}},
            .slots = 2,
            .make_engine = [this](std::shared_ptr<const Voice>, int) -> absl::StatusOr<std::unique_ptr<VoiceEngine>> {
              return std::make_unique<CountedEngine>(engines_);
            }};
  }
  absl::Status Start(Curator::Options options) {
    curator_ = std::make_unique<Curator>(std::move(options), registry_, hosting_, metrics_);
    return curator_->Start([this] { bell_.Ring(); });
  }
  void StartGood(Curator::Options options) {
    const absl::Status started = Start(std::move(options));
    ASSERT_TRUE(started.ok()) << started;
  }

  // "violin" -> "violin/2"; or the reason of the refusal.
  std::string Resolve(const std::string& reference) {
    const auto found = registry_.Resolve(reference);
    return found.ok() ? (*found)->id() : ReasonOf(found.status());
  }
  VersionStatus StatusOf(int64_t version, const std::string& model = "kazoo") {
    const auto status = curator_->Get(model);
    if (status.ok()) {
      for (const VersionStatus& known : status->versions) {
        if (known.version == version) return known;
      }
    }
    return {};
  }
  VersionState StateOf(int64_t version) { return StatusOf(version).state; }
  void WaitFor(int64_t version, VersionState state) {
    bell_.WaitUntil([&] { return StateOf(version) == state; });
  }

  TempDir repository_;
  std::atomic<int> engines_ = 0;  // alive
  ServerMetrics metrics_;
  SimClock clock_;
  Registry registry_{{}, std::make_unique<FakeEngine>(2)};
  EngineTable engine_table_{1};
  DeviceLoad load_{{}, {}, clock_};
  Hosting hosting_{engine_table_, load_, metrics_, clock_};
  Bell bell_;
  std::unique_ptr<Curator> curator_;
};

TEST_F(CuratorTest, ServesTheNewestAndWhatAliasesName) {
  for (const int64_t version : {1, 2, 3}) Publish(version);
  ASSERT_TRUE(WriteAliases(repository_.path() + "/kazoo", {{"champion", 1}}).ok());
  StartGood(Options());
  EXPECT_EQ(Resolve("kazoo"), "kazoo/3");
  EXPECT_EQ(Resolve("kazoo@champion"), "kazoo/1");
  EXPECT_EQ(Resolve("kazoo/2"), "MODEL_NOT_READY");
  EXPECT_EQ(Resolve("kazoo/4"), "MODEL_NOT_FOUND");
  EXPECT_EQ(engines_, 2);
}

TEST_F(CuratorTest, NewSessionsGetTheNewVersionAndOldOnesKeepTheirs) {
  Publish(1);
  StartGood(Options());
  std::optional<VoicePin> session = VoicePin::Take(*registry_.Resolve("kazoo"));
  Publish(2);
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1") << "nobody has asked for it yet";
  ASSERT_TRUE(curator_->Load("kazoo", 2).ok());
  EXPECT_EQ(Resolve("kazoo"), "kazoo/2");
  EXPECT_EQ(Resolve("kazoo/1"), "MODEL_NOT_READY");
  EXPECT_EQ(StateOf(1), VersionState::kUnloading);
  EXPECT_EQ(engines_, 2);
  EXPECT_NE(session->voice().engine(), nullptr);
  session.reset();
  WaitFor(1, VersionState::kUnloaded);
  EXPECT_EQ(engines_, 1);
}

TEST_F(CuratorTest, LoadingAgainIsNoError) {
  Publish(1);
  StartGood(Options());
  EXPECT_TRUE(curator_->Load("kazoo", 1).ok());
  EXPECT_TRUE(curator_->Load("kazoo", 0).ok());
  EXPECT_EQ(engines_, 1);
}

TEST_F(CuratorTest, UnloadRefusesNewSessionsAndLoadTakesThemAgain) {
  Publish(1);
  StartGood(Options());
  std::optional<VoicePin> session = VoicePin::Take(*registry_.Resolve("kazoo"));
  const VoiceEngine* engine = session->voice().engine();
  ASSERT_TRUE(curator_->Unload("kazoo", 0).ok());
  EXPECT_EQ(Resolve("kazoo"), "MODEL_NOT_READY");
  ASSERT_TRUE(curator_->Load("kazoo", 1).ok());
  EXPECT_EQ((*registry_.Resolve("kazoo"))->engine(), engine) << "it still played";
  session.reset();
  ASSERT_TRUE(curator_->Unload("kazoo", 1).ok());
  WaitFor(1, VersionState::kUnloaded);
  EXPECT_EQ(engines_, 0);
}

TEST_F(CuratorTest, NamesWhatItDoesNotKnow) {
  Publish(1);
  StartGood(Options());
  for (const absl::Status& error :
       {curator_->Load("flute", 1), curator_->Load("kazoo", 7), curator_->Load("../kazoo", 1),
        curator_->Unload("flute", 0), curator_->Unload("kazoo", 7), curator_->SetAlias("kazoo", "champion", 7),
        curator_->SetAlias("flute", "champion", 0), curator_->DeleteAlias("kazoo", "champion"),
        curator_->Get("flute").status()}) {
    EXPECT_EQ(ReasonOf(error), "MODEL_NOT_FOUND") << error;
  }
  EXPECT_EQ(ReasonOf(curator_->SetAlias("kazoo", "Champion", 1)), "INVALID_MODEL_REQUEST");
}

// ---------------------------------------------------------------- bad versions

struct Damage {
  const char* name;
  void (*to)(const std::string& directory);
  const char* reason;  // part of it
};

void Cut(const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); }
void Flip(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-9, std::ios::end);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(-9, std::ios::end);
  file.put(byte);
}

const Damage kDamages[] = {
    {"TruncatedWeights", [](const std::string& directory) { Cut(directory + "/" + kWeightsFile); },
     "the manifest says"},
    {"FlippedWeights", [](const std::string& directory) { Flip(directory + "/" + kWeightsFile); }, "SHA-256"},
    {"FlippedGolden", [](const std::string& directory) { Flip(directory + "/" + kGoldenFile); }, "SHA-256"},
    {"MissingFile", [](const std::string& directory) { fs::remove(directory + "/" + kGoldenFile); }, "not there"},
    {"CutManifest", [](const std::string& directory) { Cut(directory + "/" + kManifestFile); }, kManifestFile},
    {"EmptyManifest", [](const std::string& directory) { fs::resize_file(directory + "/" + kManifestFile, 0); }, ""},
    // Whole, and of a sound that it does not make.
    {"WrongSound",
     [](const std::string& directory) {
       Voice voice = **ReadBundle(directory);
       voice.golden.output[voice.golden.output.size() / 2] += 0.1f;
       fs::remove_all(directory);
       ASSERT_TRUE(WriteBundle(directory, voice, WeightStorage::kFloat32).ok());
     },
     "golden audio differs"},
};

class BadVersionTest : public CuratorTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(BadVersionTest, NeverServesAndLeavesTheOldOneServing) {
  Publish(1);
  StartGood(Options());
  GetParam().to(Publish(2));
  const absl::Status error = curator_->Load("kazoo", 2);
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(error), "MODEL_LOAD_FAILED");
  EXPECT_EQ(MetadataOf(error), (ErrorMetadata{{"model", "kazoo"}, {"version", "2"}}));
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1");
  EXPECT_EQ(Resolve("kazoo/2"), "MODEL_NOT_READY");
  EXPECT_EQ(StateOf(2), VersionState::kUnavailable);
  EXPECT_THAT(StatusOf(2).reason, HasSubstr(GetParam().reason));
  EXPECT_THAT(StatusOf(2).reason, Not(HasSubstr(repository_.path()))) << "clients may read it";
  EXPECT_EQ(engines_, 1);
  // An alias does not move onto it either.
  EXPECT_EQ(ReasonOf(curator_->SetAlias("kazoo", "champion", 2)), "MODEL_LOAD_FAILED");
  EXPECT_EQ(Resolve("kazoo@champion"), "MODEL_NOT_FOUND");
}

INSTANTIATE_TEST_SUITE_P(Damages, BadVersionTest, ::testing::ValuesIn(kDamages),
                         [](const auto& damage) { return std::string(damage.param.name); });

TEST_F(CuratorTest, StartsWithTheNextBestVersion) {
  Publish(1);
  Cut(Publish(2) + "/" + kWeightsFile);
  StartGood(Options());
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1");
  EXPECT_EQ(StateOf(2), VersionState::kUnavailable);
}

TEST_F(CuratorTest, DoesNotStartWithoutAVersionThatServes) {
  const std::string damaged = Publish(1);
  Cut(damaged + "/" + kWeightsFile);
  const absl::Status error = Start(Options());
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(error.message()), HasSubstr(damaged));
}

TEST_F(CuratorTest, AMendedVersionIsTriedAgain) {
  Publish(1);
  const std::string two = Publish(2);
  Cut(two + "/" + kWeightsFile);
  Curator::Options options = Options();
  options.mode = ControlMode::kPoll;
  StartGood(std::move(options));
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1");
  fs::remove_all(two);
  Publish(2);
  curator_->Poll();
  WaitFor(2, VersionState::kReady);
}

// ---------------------------------------------------------------- modes

TEST_F(CuratorTest, PollLoadsWhatIsPublishedAndPutsAwayWhatIsDeleted) {
  Publish(1);
  Curator::Options options = Options();
  options.mode = ControlMode::kPoll;
  StartGood(std::move(options));
  // Without its manifest a version is not there yet.
  const std::string two = Publish(2);
  fs::rename(two + "/" + kManifestFile, two + "/later");
  curator_->Poll();
  EXPECT_EQ(curator_->Get("kazoo")->versions.size(), 1u);
  fs::rename(two + "/later", two + "/" + kManifestFile);
  curator_->Poll();
  WaitFor(2, VersionState::kReady);
  WaitFor(1, VersionState::kUnloaded);
  fs::remove_all(two);
  curator_->Poll();
  WaitFor(1, VersionState::kReady);
  bell_.WaitUntil([&] { return curator_->Get("kazoo")->versions.size() == 1; });
  fs::remove_all(repository_.path() + "/kazoo");
  curator_->Poll();
  bell_.WaitUntil([&] { return curator_->Models().empty(); });
  EXPECT_EQ(Resolve("kazoo"), "MODEL_NOT_FOUND");
  EXPECT_EQ(engines_, 0);
}

TEST_F(CuratorTest, ARepositoryThatDoesNotAnswerTakesNothingAway) {
  Publish(1);
  Curator::Options options = Options();
  options.mode = ControlMode::kPoll;
  StartGood(std::move(options));
  const std::string aside = repository_.path() + ".aside";
  fs::rename(repository_.path(), aside);
  curator_->Poll();
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1");
  fs::rename(aside, repository_.path());
}

TEST_F(CuratorTest, ExplicitLoadsWhatItIsAskedFor) {
  for (const int64_t version : {1, 2, 3}) Publish(version);
  Curator::Options options = Options();
  options.mode = ControlMode::kExplicit;
  StartGood(std::move(options));
  EXPECT_EQ(Resolve("kazoo"), "MODEL_NOT_READY");
  EXPECT_EQ(engines_, 0);
  ASSERT_TRUE(curator_->Load("kazoo", 2).ok());
  EXPECT_EQ(Resolve("kazoo"), "kazoo/2");
  ASSERT_TRUE(curator_->Load("kazoo", 0).ok());
  EXPECT_EQ(Resolve("kazoo"), "kazoo/3");
}

TEST_F(CuratorTest, ExplicitStartsWithWhatFlagsName) {
  Publish(1);
  Publish(2);
  Publish(repository_.path(), 1, "flute");
  Curator::Options options = Options();
  options.mode = ControlMode::kExplicit;
  options.load_models = {"kazoo/1"};
  StartGood(options);
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1");
  EXPECT_EQ(Resolve("flute"), "MODEL_NOT_READY");
  options.load_models = {"*"};
  StartGood(options);
  EXPECT_EQ(Resolve("kazoo"), "kazoo/2");
  EXPECT_EQ(Resolve("flute"), "flute/1");
  options.load_models = {"kazoo", "piano"};
  const absl::Status error = Start(options);
  EXPECT_EQ(error.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(error.message()), HasSubstr("piano"));
}

TEST_F(CuratorTest, ServesRepositoriesSideBySide) {
  TempDir published;
  Publish(1);
  Publish(published.path(), 5);
  Publish(published.path(), 1, "flute");
  Curator::Options options = Options();
  options.repositories.push_back({.directory = published.path() + "/", .required = false});
  options.repositories.push_back({.directory = published.path() + "/later", .required = false});
  StartGood(std::move(options));
  EXPECT_EQ(Resolve("flute"), "flute/1");
  EXPECT_EQ(Resolve("kazoo"), "kazoo/1") << "the first repository that has it is the one";
  // As a publisher does it.
  Publish(published.path(), 2, "flute");
  ASSERT_TRUE(curator_->Load("flute", 2).ok());
  EXPECT_EQ(Resolve("flute"), "flute/2");
}

// ---------------------------------------------------------------- aliases

TEST_F(CuratorTest, AnAliasLoadsItsVersionFirst) {
  for (const int64_t version : {1, 2}) Publish(version);
  StartGood(Options());
  ASSERT_TRUE(curator_->SetAlias("kazoo", "champion", 1).ok());
  EXPECT_EQ(Resolve("kazoo@champion"), "kazoo/1");
  EXPECT_EQ(Resolve("kazoo"), "kazoo/2");
  EXPECT_FALSE(StatusOf(1).pinned) << "the alias holds it";
  EXPECT_THAT(*ReadAliases(repository_.path() + "/kazoo"), ElementsAre(Pair("champion", 1)));
  ASSERT_TRUE(curator_->SetAlias("kazoo", "champion", 0).ok());
  EXPECT_EQ(Resolve("kazoo@champion"), "kazoo/2");
  WaitFor(1, VersionState::kUnloaded);
  ASSERT_TRUE(curator_->DeleteAlias("kazoo", "champion").ok());
  EXPECT_EQ(Resolve("kazoo@champion"), "MODEL_NOT_FOUND");
  EXPECT_THAT(*ReadAliases(repository_.path() + "/kazoo"), IsEmpty());
}

TEST_F(CuratorTest, AnAliasThatCannotBeWrittenDoesNotMove) {
  Publish(1);
  StartGood(Options());
  fs::create_directory(repository_.path() + "/kazoo/aliases.textproto");
  const absl::Status error = curator_->SetAlias("kazoo", "champion", 1);
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(error), "REPOSITORY_NOT_WRITABLE");
  EXPECT_EQ(Resolve("kazoo@champion"), "MODEL_NOT_FOUND");
}

// ---------------------------------------------------------------- watching

TEST_F(CuratorTest, TellsOfEveryChangeOnce) {
  Publish(1);
  StartGood(Options());
  std::vector<ModelStatus> all = curator_->ChangedSince(0);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(curator_->ChangedSince(all[0].revision), IsEmpty());
  ASSERT_TRUE(curator_->Load("kazoo", 1).ok());
  EXPECT_THAT(curator_->ChangedSince(all[0].revision), IsEmpty()) << "nothing has changed";
  ASSERT_TRUE(curator_->Unload("kazoo", 1).ok());
  EXPECT_EQ(curator_->ChangedSince(all[0].revision).size(), 1u);
}

TEST_F(CuratorTest, MetricsTellTheStateOfEachVersion) {
  Publish(1);
  StartGood(Options());
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(ddsp_model_state{model="kazoo",state="READY",version="1"} 1)"));
  ASSERT_TRUE(curator_->Unload("kazoo", 1).ok());
  WaitFor(1, VersionState::kUnloaded);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(ddsp_model_state{model="kazoo",state="UNLOADED",version="1"} 1)"));
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("READY")));
}

// ---------------------------------------------------------------- storms

// Theorem: while operators load, unload and alias three versions at random, whoever holds a pin finds the engine in
// place; afterwards there are as many engines as versions that serve, and the registry and the curator agree.
TEST_F(CuratorTest, SurvivesAStormOfOperators) {
  for (const int64_t version : {1, 2, 3}) Publish(version);
  StartGood(Options());
  std::atomic<bool> over = false;
  std::vector<std::thread> operators, players;
  for (int i = 0; i < 3; ++i) {
    operators.emplace_back([&, i] {
      std::mt19937 random(i);
      for (int act = 0; act < 12; ++act) {
        const int64_t version = random() % 4;
        switch (random() % 4) {
          case 0:
            curator_->Unload("kazoo", version).IgnoreError();
            break;
          case 1:
            curator_->SetAlias("kazoo", "champion", version).IgnoreError();
            break;
          default:
            curator_->Load("kazoo", version).IgnoreError();
        }
      }
    });
  }
  for (int i = 0; i < 2; ++i) {
    players.emplace_back([&, slot = i] {
      while (!over) {
        for (const char* reference : {"kazoo", "kazoo@champion", "kazoo/1"}) {
          const auto voice = registry_.Resolve(reference);
          if (!voice.ok()) continue;
          const std::optional<VoicePin> pin = VoicePin::Take(*voice);
          if (!pin.has_value()) continue;
          EXPECT_TRUE(pin->voice().engine()->Reset(slot, {.input = StreamInput::kControls}).ok());
          EXPECT_EQ(engine_table_.at(pin->voice().engine_index).engine, pin->voice().engine());
        }
      }
    });
  }
  for (std::thread& thread : operators) thread.join();
  over = true;
  for (std::thread& thread : players) thread.join();
  bell_.WaitUntil([&] {
    int serving = 0;
    const ModelStatus status = *curator_->Get("kazoo");
    for (const VersionStatus& version : status.versions) {
      if (version.state != VersionState::kReady && version.state != VersionState::kUnloaded) return false;
      serving += version.state == VersionState::kReady;
    }
    return engines_ == serving && static_cast<int>(registry_.hosted().size()) == serving + 1;
  });
}

TEST_F(CuratorTest, StoppingAnswersWhoWaits) {
  Publish(1);
  Curator::Options options = Options();
  options.mode = ControlMode::kExplicit;
  StartGood(std::move(options));
  std::thread stopper([this] { curator_->Stop(); });
  const absl::Status status = curator_->Load("kazoo", 1);
  EXPECT_TRUE(status.ok() || ReasonOf(status) == "SERVER_DRAINING") << status;
  stopper.join();
}

int64_t ResidentKib() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

// With real engines, of which every slot has been played.
TEST_F(CuratorTest, MemoryComesBack) {
  Publish(1);
  Curator::Options options = Options();
  options.mode = ControlMode::kExplicit;
  options.slots = 64;
  options.make_engine = MakeVoiceEngine;
  StartGood(std::move(options));
  const auto cycle = [this] {
    ASSERT_TRUE(curator_->Load("kazoo", 1).ok());
    VoiceEngine* const engine = (*registry_.Resolve("kazoo"))->engine();
    for (int slot = 0; slot < engine->slots(); ++slot) ASSERT_TRUE(engine->Reset(slot, {}).ok());
    ASSERT_TRUE(curator_->Unload("kazoo", 1).ok());
    WaitFor(1, VersionState::kUnloaded);
  };
  for (int i = 0; i < 10; ++i) cycle();
  const int64_t before = ResidentKib();
  for (int i = 0; i < 50; ++i) cycle();
  const int64_t after = ResidentKib();
  RecordProperty("resident_kib_before", std::to_string(before));
  RecordProperty("resident_kib_after", std::to_string(after));
  std::printf("resident: %ld KiB, after 50 cycles %ld KiB\n", static_cast<long>(before), static_cast<long>(after));
  EXPECT_LT(after - before, 1024);
}

}  // namespace
}  // namespace ddsp::server
