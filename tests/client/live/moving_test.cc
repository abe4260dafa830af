// Sessions that have to leave a server go on at another, which has the same voice: nothing is heard of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "client/sdk/resuming_stream.h"
#include "core/base/file.h"
#include "server/server.h"
#include "tests/support/test_voice.h"

namespace ddsp::client {
namespace {

using ::ddsp::testing::TempDir;
using ::ddsp::testing::TestMelody;
using ::ddsp::testing::TestVoiceOptions;
using ::ddsp::testing::WriteTestBundle;

class Moving : public ::testing::Test {
 protected:
  Moving() {
    TestVoiceOptions voice{.name = "kazoo"};
    voice.reverb_length = 16000;
    WriteTestBundle(repository(), voice, 1);
    EXPECT_TRUE(WriteFileAtomically(keys(), std::string(40, 'k') + "\n").ok());
    for (auto& server : servers_) server = Serve();
  }
  ~Moving() override {
    for (const auto& server : servers_) {
      server->BeginDrain();
      server->FinishDrain(absl::Seconds(5));
    }
  }

  std::string repository() const { return folder_.path() + "/models"; }
  std::string keys() const { return folder_.path() + "/keys"; }
  std::unique_ptr<server::Server> Serve() const {
    server::ServerOptions options;
    options.model_repository = repository();
    options.listen = "127.0.0.1:0";
    options.metrics_listen = options.admin_listen = "";
    options.max_sessions = 8;
    options.max_device_load = 0;
    options.session_key_file = keys();
    options.limits.version_drain_timeout = absl::Nanoseconds(1);
    auto server = server::Server::Start(options);
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  std::unique_ptr<ResumingStream> Open(absl::Duration give_up_after = absl::Seconds(30)) {
    StreamOptions options;
    options.model = "kazoo";
    options.input.sample_rate = 16000;
    ResumeOptions resume;
    resume.retry.give_up_after = give_up_after;
    auto stream = ResumingStream::Open(
        {absl::StrCat("127.0.0.1:", servers_[0]->port(), ",127.0.0.1:", servers_[1]->port())}, options, resume);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }

  // What a stream answers that nobody disturbs.
  std::vector<float> Undisturbed() {
    const auto stream = Open();
    EXPECT_TRUE(stream->Write(melody_).ok());
    EXPECT_TRUE(stream->Finish().ok());
    return *stream->ReadAllAudio();
  }
  // The first version goes out of service at one server.
  static void Retire(server::Server& server) {
    ASSERT_TRUE(server.curator()->Unload("kazoo", 1).ok());
    server.KeepHouse();  // sees it
    server.KeepHouse();  // and has waited long enough
  }
  // Waits for some output.
  static std::vector<float> Hear(ResumingStream& stream) {
    while (true) {
      const auto message = stream.Read();
      if (!message.ok() || !message->has_value()) {
        ADD_FAILURE() << message.status();
        return {};
      }
      if (const auto* audio = std::get_if<AudioBlock>(&**message)) return audio->samples;
    }
  }

  const std::vector<float> melody_ = TestMelody(12000);
  TempDir folder_;
  std::unique_ptr<server::Server> servers_[2];
};

TEST_F(Moving, AVersionThatIsTakenAwayIsPlayedOnElsewhere) {
  const std::vector<float> expected = Undisturbed();
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).first(6000)).ok());
  std::vector<float> audio = Hear(*stream);
  Retire(*servers_[0]);
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).subspan(6000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  const auto rest = stream->ReadAllAudio();
  ASSERT_TRUE(rest.ok()) << rest.status();
  audio.insert(audio.end(), rest->begin(), rest->end());
  EXPECT_EQ(audio, expected) << "to the bit";
  ASSERT_EQ(stream->resumptions().size(), 1u);
  EXPECT_TRUE(stream->resumptions()[0].from_snapshot);
}

// The state of one version means nothing to another: who can go on nowhere is told, and nothing goes on silently.
TEST_F(Moving, AVersionThatNobodyHasEndsTheSession) {
  const auto stream = Open(absl::Milliseconds(200));
  ASSERT_TRUE(stream->Write(absl::MakeSpan(melody_).first(6000)).ok());
  Hear(*stream);
  TestVoiceOptions next{.name = "kazoo", .seed = 2};
  WriteTestBundle(repository(), next, 2);
  for (const auto& server : servers_) {
    ASSERT_TRUE(server->curator()->Load("kazoo", 2).ok());
    Retire(*server);
  }
  const absl::Status end = stream->ReadAllAudio().status();
  EXPECT_EQ(end.code(), absl::StatusCode::kDataLoss) << end;
  ASSERT_TRUE(DetailsOf(end).has_value());
  EXPECT_EQ(DetailsOf(end)->reason, "STATE_LOST");
}

// Wherever in its end the drain meets it.
TEST_F(Moving, WhatRingsOutIsWholeWhereverItDoes) {
  const std::vector<float> expected = Undisturbed();
  int moves = 0;
  for (int drained = 0; drained < 4; ++drained) {
    const auto stream = Open();
    ASSERT_TRUE(stream->Write(melody_).ok());
    ASSERT_TRUE(stream->Finish().ok());
    servers_[0]->BeginDrain();
    const auto audio = stream->ReadAllAudio();
    ASSERT_TRUE(audio.ok()) << audio.status();
    EXPECT_EQ(*audio, expected) << "to the bit";
    moves += static_cast<int>(stream->resumptions().size());
    servers_[0]->FinishDrain(absl::Seconds(5));
    servers_[0] = Serve();
  }
  std::printf("%d of 4 moved\n", moves);
}

}  // namespace
}  // namespace ddsp::client
