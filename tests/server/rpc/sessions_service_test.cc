#include "server/rpc/sessions_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

std::vector<SessionFacts> Many(int count) {
  std::vector<SessionFacts> sessions;
  for (int i = count; i-- > 0;) {
    sessions.push_back({.id = absl::StrFormat("%04d", i), .model = i % 2 == 0 ? "violin/1" : "violin/2"});
  }
  return sessions;
}

std::vector<std::string> Ids(const v1::ListSessionsResponse& response) {
  std::vector<std::string> ids;
  for (const v1::Session& session : response.sessions()) ids.push_back(session.id());
  return ids;
}

TEST(ListSessions, PagesAreCompleteAndInOrder) {
  v1::ListSessionsRequest request;
  request.set_page_size(4);
  std::vector<std::string> seen;
  int pages = 0;
  do {
    v1::ListSessionsResponse response;
    ASSERT_TRUE(ListSessions(Many(11), request, &response).ok());
    for (const std::string& id : Ids(response)) seen.push_back(id);
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(seen.size(), 11u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(ListSessions, ManyMoreThanAPage) {
  v1::ListSessionsRequest request;
  v1::ListSessionsResponse response;
  ASSERT_TRUE(ListSessions(Many(500), request, &response).ok());
  EXPECT_EQ(response.sessions_size(), 100);
  response.Clear();
  request.set_page_size(5000);
  ASSERT_TRUE(ListSessions(Many(2000), request, &response).ok());
  EXPECT_EQ(response.sessions_size(), 1000);
}

TEST(ListSessions, OfAModelOrAVersion) {
  for (const auto& [model, count] : {std::pair{"violin", 10}, {"violin/2", 5}, {"viol", 0}, {"cello", 0}}) {
    v1::ListSessionsRequest request;
    request.set_model(model);
    v1::ListSessionsResponse response;
    ASSERT_TRUE(ListSessions(Many(10), request, &response).ok());
    EXPECT_EQ(response.sessions_size(), count) << model;
  }
}

TEST(ListSessions, NoPageHasFewerThanNone) {
  v1::ListSessionsRequest request;
  request.set_page_size(-1);
  v1::ListSessionsResponse response;
  EXPECT_EQ(ReasonOf(ListSessions(Many(1), request, &response)), "INVALID_SESSION_REQUEST");
}

TEST(ToMessage, TellsWhatIsKnown) {
  SessionFacts facts{.id = "ab12",
                     .origin = {.transport = "render", .peer = "ipv4:1.2.3.4:5", .request_id = "r"},
                     .state = SessionState::kLive,
                     .model = "violin/1"};
  facts.age = absl::Milliseconds(1500);
  facts.input_format = {.encoding = Encoding::kOpus, .sample_rate = 48000};
  facts.output_blocks = 7;
  facts.latency_p99 = absl::Microseconds(12345);
  const v1::Session message = ToMessage(facts);
  EXPECT_EQ(message.state(), v1::SESSION_PHASE_LIVE);
  EXPECT_EQ(message.transport(), "render");
  EXPECT_EQ(message.age().seconds(), 1);
  EXPECT_EQ(message.age().nanos(), 500'000'000);
  EXPECT_EQ(message.input_format().encoding(), v1::OPUS);
  EXPECT_EQ(message.latency_p99().nanos(), 12'345'000);
}

TEST(ToMessage, BeforeTheConfigThereIsNoFormat) {
  const v1::Session message = ToMessage(SessionFacts{.id = "ab12"});
  EXPECT_EQ(message.state(), v1::SESSION_PHASE_AWAITING_CONFIG);
  EXPECT_FALSE(message.has_input_format());
  EXPECT_FALSE(message.has_latency_p50());
}

}  // namespace
}  // namespace ddsp::server
