#include "server/logs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"

namespace ddsp::server {
namespace {

LogLine SomeLine() {
  return {
      .time = absl::UnixEpoch() + absl::Microseconds(1'500'000),
      .level = LogLevel::kInfo,
      .event = "session.ended",
      .message = "session ended",
      .fields = {{"session_id", std::string("ab12")}, {"seconds", 2.5}, {"underruns", int64_t{3}}, {"resumed", true}}};
}

TEST(LogLine, IsOneJsonObject) {
  EXPECT_EQ(AsJson(SomeLine()),
            R"({"time":"1970-01-01T00:00:01.500000Z","level":"info","event":"session.ended","message":"session ended",)"
            R"("session_id":"ab12","seconds":2.5,"underruns":3,"resumed":true})");
}

TEST(LogLine, IsOneLineOfText) {
  EXPECT_EQ(AsText(SomeLine()), "session ended session_id=ab12 seconds=2.5 underruns=3 resumed=true");
}

TEST(LogLine, TellsOfTroubleInText) {
  LogLine line = SomeLine();
  line.level = LogLevel::kWarning;
  line.fields.clear();
  EXPECT_EQ(AsText(line), "warning: session ended");
}

// A client's text must neither end the line nor make another field of itself.
TEST(LogLine, HoldsWhatAClientMaySend) {
  for (const std::string& hostile : {std::string("a\nlevel=error"), std::string("\"}{\""), std::string("\xff\xfe"),
                                     std::string("\0\x1b[31m", 6), std::string("a=b c")}) {
    LogLine line = SomeLine();
    line.fields = {{"error", hostile}};
    const std::string text = AsText(line), json = AsJson(line);
    EXPECT_EQ(text.find_first_of("\n\r\x1b"), std::string::npos) << text;
    EXPECT_EQ(json.find('\n'), std::string::npos);
    const auto parsed = nlohmann::json::parse(json);
    EXPECT_EQ(parsed.size(), 5u) << json;
    EXPECT_EQ(parsed.at("level"), "info");
  }
}

// Takes what it is given, once it may.
class GatedSink {
 public:
  Log::Sink sink() {
    return [this](std::string_view lines) {
      if (!entered_.HasBeenNotified()) entered_.Notify();
      gate_.WaitForNotification();
      const std::lock_guard lock(mu_);
      text_ += lines;
      return true;
    };
  }
  void AwaitReader() { entered_.WaitForNotification(); }
  void Open() { gate_.Notify(); }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mu_);
    return absl::StrSplit(text_, '\n', absl::SkipEmpty());
  }

 private:
  absl::Notification entered_, gate_;
  std::mutex mu_;
  std::string text_;
};

TEST(Log, KeepsOrderAndLevel) {
  GatedSink sink;
  sink.Open();
  Log log({.level = LogLevel::kInfo}, sink.sink());
  log.Write(LogLevel::kDebug, "x", "not this");
  log.Write(LogLevel::kInfo, "x", "one");
  log.Write(LogLevel::kError, "x", "two");
  log.Flush();
  EXPECT_THAT(sink.lines(), ::testing::ElementsAre("one", "error: two"));
  EXPECT_EQ(log.dropped(), 0);
}

// Theorem: while the reader stands still, writers do not, and each line is either told or counted.
TEST(Log, DropsAndCountsWhereNobodyReads) {
  GatedSink sink;
  Log log({.max_lines = 10}, sink.sink());
  log.Write(LogLevel::kInfo, "x", "first");
  sink.AwaitReader();
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&log] {
      for (int line = 0; line < 100; ++line) log.Write(LogLevel::kInfo, "x", absl::StrCat("line ", line));
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(log.dropped(), 390);
  sink.Open();
  log.Flush();
  EXPECT_EQ(sink.lines().size(), 11u);
}

TEST(Log, CountsWhatItsReaderLost) {
  Log log({}, [](std::string_view) { return false; });
  log.Write(LogLevel::kInfo, "x", "one");
  log.Flush();
  EXPECT_EQ(log.dropped(), 1);
}

TEST(Log, TellsWhatWaitsWhenItEnds) {
  std::string text;
  {
    Log log({}, [&text](std::string_view lines) {
      text += lines;
      return true;
    });
    log.Write(LogLevel::kInfo, "x", "last words");
  }
  EXPECT_EQ(text, "last words\n");
}

}  // namespace
}  // namespace ddsp::server
