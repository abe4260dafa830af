// Voices that come and go under live sessions, over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/models/bundle_format.h"
#include "ddsp/v1/models.grpc.pb.h"
#include "tests/server/live/live_server.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return "";
}

v1::SessionConfig ConfigOf(const std::string& model) {
  v1::SessionConfig config = FloatConfig();
  config.set_model(model);
  config.mutable_input_format()->set_sample_rate_hz(16000);
  config.mutable_output_format()->set_sample_rate_hz(16000);
  return config;
}

class ModelsTest : public ::testing::Test {
 protected:
  ModelsTest() { Publish(1); }
  ~ModelsTest() override {
    if (server_ == nullptr) return;
    server_->BeginDrain();
    server_->FinishDrain(absl::Seconds(5));
  }

  // Each version sounds otherwise.
  std::string Publish(int64_t version) {
    return WriteTestBundle(repository_.path(), {.name = "kazoo", .seed = static_cast<uint64_t>(version)}, version);
  }

  void Start(ControlMode mode = ControlMode::kNone) {
    ServerOptions options = LocalOptions(8);
    options.admin_listen = "127.0.0.1:0";
    options.model_repository = repository_.path();
    options.model_control_mode = mode;
    options.max_device_load = 0;
    options.max_sessions_per_model = limits_;
    auto server = Server::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::Synthesis::NewStub(ChannelTo(server_->port()));
    public_ = v1::Models::NewStub(ChannelTo(server_->port()));
    admin_ = v1::Models::NewStub(ChannelTo(server_->admin_port()));
  }

  template <typename Request>
  grpc::Status Ask(grpc::Status (v1::Models::Stub::*method)(grpc::ClientContext*, const Request&, v1::Model*),
                   const std::string& name, v1::Models::Stub& stub) {
    grpc::ClientContext context;
    Request request;
    request.set_name(name);
    return (stub.*method)(&context, request, &model_);
  }
  grpc::Status Load(const std::string& name) { return Ask(&v1::Models::Stub::Load, name, *admin_); }
  grpc::Status Unload(const std::string& name) { return Ask(&v1::Models::Stub::Unload, name, *admin_); }
  // "READY", ... of the model that was answered last.
  std::string StateOf(int64_t version) {
    for (const v1::ModelVersion& known : model_.versions()) {
      if (known.version() == version) return v1::VersionState_Name(known.state()).substr(sizeof("VERSION_STATE_") - 1);
    }
    return "none";
  }
  // Follows the changes until the version is in that state.
  void WatchUntil(int64_t version, const std::string& state) {
    grpc::ClientContext context;
    v1::WatchModelsRequest request;
    request.set_name("models/kazoo");
    const auto reader = public_->Watch(&context, request);
    v1::WatchModelsResponse response;
    while (StateOf(version) != state) {
      ASSERT_TRUE(reader->Read(&response)) << "the watch ended before version " << version << " was " << state;
      model_ = response.model();
    }
    context.TryCancel();
    reader->Finish();
  }

  std::vector<float> Sound(const std::string& model) { return StreamThrough(*stub_, ConfigOf(model), melody_, 400); }

  TempDir repository_;
  std::map<std::string, int> limits_;  // slots, where there are fewer
  const std::vector<float> melody_ = TestMelody(8000);
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
  std::unique_ptr<v1::Models::Stub> public_, admin_;
  v1::Model model_;  // the last answer
};

// A client in the middle of its song.
class Song {
 public:
  Song(v1::Synthesis::Stub& stub, const std::string& model, const std::vector<float>& melody)
      : call_(stub), melody_(melody) {
    call_.Send(Request(ConfigOf(model)));
    started_ = call_.Read().value().started();
  }
  // On to sample `end`; credit suffices for the whole of it.
  void SingTo(size_t end) {
    for (; at_ < end; at_ += 400) {
      call_.Send(AudioRequest(seq_++, at_, absl::MakeSpan(melody_).subspan(at_, std::min<size_t>(400, end - at_))));
    }
  }
  // Waits for some output of what was sent.
  void Hear() {
    while (true) {
      auto response = call_.Read();
      ASSERT_TRUE(response.has_value());
      Take(*response);
      if (!audio_.empty()) return;
    }
  }
  std::vector<float> End() {
    SingTo(melody_.size());
    call_.HalfClose();
    EXPECT_TRUE(call_.Finish().ok()) << call_.Finish().error_message();
    for (const auto& response : call_.rest) Take(response);
    return audio_;
  }
  const v1::SessionStarted& started() const { return started_; }

 private:
  void Take(const v1::StreamSessionResponse& response) {
    const std::vector<float> block = FloatsOf(response.audio().data());
    audio_.insert(audio_.end(), block.begin(), block.end());
  }

  LiveCall call_;
  const std::vector<float>& melody_;
  v1::SessionStarted started_;
  size_t at_ = 0;
  uint64_t seq_ = 0;
  std::vector<float> audio_;
};

TEST_F(ModelsTest, ASwapIsNotHeardByWhoPlays) {
  Start();
  const std::vector<float> one = Sound("kazoo");
  Song song(*stub_, "kazoo", melody_);
  song.SingTo(4000);
  song.Hear();
  Publish(2);
  ASSERT_TRUE(Load("models/kazoo").ok());
  EXPECT_EQ(model_.serving_version(), 2);
  EXPECT_EQ(StateOf(1), "UNLOADING");
  EXPECT_EQ(StateOf(2), "READY");
  const std::vector<float> two = Sound("kazoo");
  EXPECT_EQ(two, Sound("kazoo/2"));
  EXPECT_NE(two, one);
  EXPECT_EQ(song.End(), one) << "to the bit";
  WatchUntil(1, "UNLOADED");
}

TEST_F(ModelsTest, UnloadRefusesNewSessionsAndLetsOldOnesEnd) {
  Start();
  const std::vector<float> expected = Sound("kazoo");
  Song song(*stub_, "kazoo", melody_);
  song.SingTo(4000);
  ASSERT_TRUE(Unload("models/kazoo").ok());
  EXPECT_EQ(StateOf(1), "UNLOADING");
  EXPECT_EQ(model_.versions(0).loaded().sessions(), 1);
  for (const char* reference : {"kazoo", "kazoo/1"}) {
    LiveCall refused(*stub_);
    refused.Send(Request(ConfigOf(reference)));
    EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(refused.info().reason(), "MODEL_NOT_READY");
    EXPECT_EQ(refused.info().metadata().at("model"), "kazoo");
    EXPECT_EQ(refused.Finish().error_message(), "kazoo/1 was unloaded");
  }
  EXPECT_EQ(song.End(), expected);
  WatchUntil(1, "UNLOADED");
  EXPECT_THAT(server_->MetricsText(), HasSubstr("ddsp_session_slots{device=\"cpu\",model=\"kazoo\"} 0"));
  ASSERT_TRUE(Load("models/kazoo/versions/1").ok());
  EXPECT_EQ(Sound("kazoo"), expected);
}

TEST_F(ModelsTest, ABadVersionIsRefusedAndSeen) {
  Start();
  const std::vector<float> expected = Sound("kazoo");
  const std::string weights = absl::StrCat(Publish(2), "/", kWeightsFile);
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 1);
  const grpc::Status refused = Load("models/kazoo/versions/2");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonIn(refused), "MODEL_LOAD_FAILED");
  ASSERT_TRUE(Ask(&v1::Models::Stub::Get, "models/kazoo", *public_).ok());
  EXPECT_EQ(StateOf(2), "UNAVAILABLE");
  EXPECT_THAT(model_.versions(1).reason(), HasSubstr(kWeightsFile));
  EXPECT_EQ(Sound("kazoo"), expected);
}

TEST_F(ModelsTest, OperatorsCallTheAdminPort) {
  Start();
  for (const auto method : {&v1::Models::Stub::Load}) {
    const grpc::Status refused = Ask(method, "models/kazoo", *public_);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(ReasonIn(refused), "ADMIN_PORT_ONLY");
  }
  for (const auto method : {&v1::Models::Stub::Unload}) {
    EXPECT_EQ(ReasonIn(Ask(method, "models/kazoo", *public_)), "ADMIN_PORT_ONLY");
  }
  EXPECT_EQ(ReasonIn(Ask(&v1::Models::Stub::DeleteAlias, "models/kazoo/aliases/best", *public_)), "ADMIN_PORT_ONLY");
  grpc::ClientContext context;
  v1::SetAliasRequest request;
  request.set_name("models/kazoo/aliases/best");
  request.set_version(1);
  EXPECT_EQ(ReasonIn(public_->SetAlias(&context, request, &model_)), "ADMIN_PORT_ONLY");
}

TEST_F(ModelsTest, AliasesAreMovedAndSungBy) {
  Publish(2);
  Start();
  grpc::ClientContext context;
  v1::SetAliasRequest request;
  request.set_name("models/kazoo/aliases/best");
  request.set_version(1);
  ASSERT_TRUE(admin_->SetAlias(&context, request, &model_).ok());
  EXPECT_EQ(model_.aliases().at("best"), 1);
  EXPECT_EQ(Sound("kazoo@best"), Sound("kazoo/1"));
  EXPECT_EQ(Sound("kazoo"), Sound("kazoo/2"));
  ASSERT_TRUE(Ask(&v1::Models::Stub::DeleteAlias, "models/kazoo/aliases/best", *admin_).ok());
  EXPECT_EQ(model_.aliases_size(), 0);
}

TEST_F(ModelsTest, NamesAreCheckedAndUnknownOnesNamed) {
  Start();
  for (const char* name : {"", "kazoo", "models/", "models/Kazoo", "models/kazoo/versions/0", "models/kazoo/versions/x",
                           "models/kazoo/aliases/best", "models/kazoo/versions/1/more", "models/../kazoo"}) {
    EXPECT_EQ(ReasonIn(Load(name)), "INVALID_MODEL_REQUEST") << name;
    EXPECT_EQ(ReasonIn(Unload(name)), "INVALID_MODEL_REQUEST") << name;
  }
  EXPECT_EQ(ReasonIn(Ask(&v1::Models::Stub::Get, "models/kazoo/versions/1", *public_)), "INVALID_MODEL_REQUEST");
  EXPECT_EQ(ReasonIn(Ask(&v1::Models::Stub::DeleteAlias, "models/kazoo", *admin_)), "INVALID_MODEL_REQUEST");
  for (const grpc::Status& unknown : {Load("models/piano"), Load("models/kazoo/versions/9"), Unload("models/piano"),
                                      Ask(&v1::Models::Stub::Get, "models/piano", *public_),
                                      Ask(&v1::Models::Stub::DeleteAlias, "models/kazoo/aliases/best", *admin_)}) {
    EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonIn(unknown), "MODEL_NOT_FOUND");
  }
}

TEST_F(ModelsTest, ListSaysWhatASessionWouldGet) {
  Start();
  grpc::ClientContext context;
  v1::ListModelsResponse response;
  ASSERT_TRUE(public_->List(&context, {}, &response).ok());
  ASSERT_EQ(response.models_size(), 1);
  EXPECT_EQ(response.models(0).name(), "models/kazoo");
  EXPECT_EQ(response.models(0).serving_version(), 1);
  const v1::LoadedVoice& loaded = response.models(0).versions(0).loaded();
  Song song(*stub_, "kazoo", melody_);
  EXPECT_EQ(loaded.sample_rate_hz(), 16000);
  EXPECT_EQ(loaded.latency_samples(), 832);
  EXPECT_EQ(loaded.slots(), 8);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(ModelsTest, PollServesWhatIsPublished) {
  Start(ControlMode::kPoll);
  Publish(2);
  server_->curator()->Poll();
  WatchUntil(2, "READY");
  EXPECT_EQ(Sound("kazoo"), Sound("kazoo/2"));
}

// Theorem: whatever comes and goes, a session that was let in plays to its end, and sounds as its version alone.
TEST_F(ModelsTest, SessionsOutliveAStormOfSwaps) {
  Publish(2);
  Start();
  ASSERT_TRUE(Load("models/kazoo/versions/1").ok());
  const std::vector<std::vector<float>> sounds = {Sound("kazoo/1"), Sound("kazoo/2")};
  std::atomic<bool> over = false;
  std::atomic<int> played = 0;
  std::vector<std::thread> players;
  for (int i = 0; i < 3; ++i) {
    players.emplace_back([&] {
      while (!over) {
        for (const int version : {1, 2}) {
          LiveCall call(*stub_);
          call.Send(Request(ConfigOf(absl::StrCat("kazoo/", version))));
          const auto started = call.Read();
          if (!started.has_value()) {
            EXPECT_EQ(call.info().reason(), "MODEL_NOT_READY");
            continue;
          }
          for (size_t at = 0, seq = 0; at < melody_.size(); at += 800, ++seq) {
            call.Send(AudioRequest(seq, at, absl::MakeSpan(melody_).subspan(at, 800)));
          }
          call.HalfClose();
          EXPECT_TRUE(call.Finish().ok()) << call.Finish().error_message();
          std::vector<float> audio;
          for (const auto& response : call.rest) {
            const std::vector<float> block = FloatsOf(response.audio().data());
            audio.insert(audio.end(), block.begin(), block.end());
          }
          EXPECT_TRUE(audio == sounds[version - 1]) << "version " << version << " sounds otherwise";
          ++played;
        }
      }
    });
  }
  for (int act = 0; act < 20; ++act) {
    const std::string name = absl::StrCat("models/kazoo/versions/", 1 + act / 2 % 2);
    ASSERT_TRUE((act % 2 == 0 ? Unload(name) : Load(name)).ok());
  }
  over = true;
  for (std::thread& player : players) player.join();
  EXPECT_GT(played, 0);
}

TEST_F(ModelsTest, AModelMayHaveFewerSlotsThanTheServer) {
  limits_ = {{"kazoo", 1}, {"never-heard-of", 3}};
  Start();
  LiveCall first(*stub_), second(*stub_);
  first.Send(Request(ConfigOf("kazoo")));
  ASSERT_TRUE(first.Read()->has_started());
  second.Send(Request(ConfigOf("kazoo")));
  EXPECT_EQ(second.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(second.info().reason(), "SESSION_SLOTS_EXHAUSTED");
  EXPECT_EQ(second.info().metadata().at("slots"), "1");
  EXPECT_EQ(second.info().metadata().at("model"), "kazoo");
}

}  // namespace
}  // namespace ddsp::server
