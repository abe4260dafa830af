// `ddsp session` and `ddsp top` as an operator meets them: the program, against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/http_get.h"
#include "client/cli/session_text.h"
#include "tests/server/live/live_server.h"
#include "tests/support/run_program.h"

namespace ddsp::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class OperateCommand : public ::testing::Test {
 protected:
  OperateCommand() {
    server::ServerOptions options = LocalOptions(4);
    options.admin_listen = options.metrics_listen = "127.0.0.1:0";
    server_ = *server::Server::Start(options, FakeVoices(4));
    stub_ = v1::Synthesis::NewStub(ChannelTo(server_->port()));
  }
  ProgramResult Run(const std::string& arguments) { return RunProgram(absl::StrCat(DDSP_PROGRAM, " ", arguments)); }
  std::string admin() const { return absl::StrCat(" --server 127.0.0.1:", server_->admin_port()); }
  std::string metrics() const { return absl::StrCat("127.0.0.1:", server_->metrics_port()); }
  std::string Begin(LiveCall& call) {
    call.Send(Request(FloatConfig()));
    return call.Read().value().started().session_id();
  }

  std::unique_ptr<server::Server> server_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
};

TEST_F(OperateCommand, SessionsAreListedAndEnded) {
  EXPECT_THAT(Run("session list" + admin()).said, HasSubstr("no sessions"));
  LiveCall call(*stub_);
  const std::string id = Begin(call);
  EXPECT_THAT(Run("session list" + admin()).said, HasSubstr(id + " live       violin/1"));
  const json listed = json::parse(Run("session list --model violin --output json" + admin()).said);
  EXPECT_EQ(listed["sessions"][0]["id"], id);
  EXPECT_EQ(listed["sessions"][0]["input_format"]["encoding"], "pcm_f32le");
  EXPECT_THAT(Run("session list --model cello" + admin()).said, HasSubstr("no sessions"));
  const ProgramResult killed = Run("session kill " + id + " --reason 'too loud'" + admin());
  EXPECT_EQ(killed.exit_code, 0) << killed.said;
  EXPECT_EQ(call.Finish().error_message(), "too loud");
}

TEST_F(OperateCommand, UnknownSessionsAreNamed) {
  const ProgramResult result = Run("session kill nobody" + admin());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.said, HasSubstr("SESSION_NOT_FOUND"));
}

TEST_F(OperateCommand, TopShowsOneInterval) {
  LiveCall call(*stub_);
  Begin(call);
  const ProgramResult text = Run("top --once --interval 0.1 --server " + metrics());
  EXPECT_EQ(text.exit_code, 0) << text.said;
  EXPECT_THAT(text.said, HasSubstr("serving"));
  EXPECT_THAT(text.said, ::testing::Not(HasSubstr("\033")));
  const json top = json::parse(Run("top --once --interval 0.1 --output json --server " + metrics()).said);
  EXPECT_EQ(top["sessions"], 1);
  EXPECT_EQ(top["models"][0]["name"], "violin");
}

TEST_F(OperateCommand, TopSaysWhatIsWrong) {
  const ProgramResult wrong = Run(absl::StrCat("top --once --server 127.0.0.1:", server_->admin_port()));
  EXPECT_NE(wrong.exit_code, 0);
  const ProgramResult nobody = Run("top --once --server 127.0.0.1:1");
  EXPECT_EQ(nobody.exit_code, 6) << nobody.said;
  EXPECT_EQ(Run("top --once --server nonsense").exit_code, 6);
}

TEST_F(OperateCommand, HttpGetReadsPages) {
  const auto page = client::HttpGet(metrics(), "/metrics", absl::Seconds(5));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(*page, HasSubstr("ddsp_server_state"));
  EXPECT_EQ(client::HttpGet(metrics(), "/nothing", absl::Seconds(5)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client::HttpGet("nowhere", "/", absl::Seconds(5)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(SessionTable, HasARowForEach) {
  v1::Session session;
  session.set_id("ab12");
  session.set_state(v1::SESSION_PHASE_AWAITING_CONFIG);
  session.set_peer("ipv4:1.2.3.4:5");
  EXPECT_THAT(client::SessionTable({session}), HasSubstr("ab12             awaiting_config"));
  EXPECT_EQ(client::SessionTable({}), "no sessions\n");
}

}  // namespace
}  // namespace ddsp::testing
