#include "server/rpc/library_log.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include "core/base/clock.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LibraryLogTest : public ::testing::Test {
 protected:
  LibraryLogTest() { gpr_log_verbosity_init(); }
  std::string Said() {
    log_.Flush();
    return said_;
  }
  SimClock clock_;
  std::string said_;
  Log log_{{}, [this](std::string_view lines) {
             said_ += lines;
             return true;
           }};
};

TEST_F(LibraryLogTest, RepeatsStrangersBytesEscaped) {
  const LibraryLog library(log_, clock_);
  gpr_log(GPR_ERROR, "Error parsing metadata: value=%s", "\x1b[31m\nlevel=error");
  EXPECT_THAT(Said(), HasSubstr("warning: Error parsing metadata: value=\\033[31m\\nlevel=error"));
}

TEST_F(LibraryLogTest, IsNoFloodAndNoBook) {
  const LibraryLog library(log_, clock_);
  for (int i = 0; i < 1000; ++i) gpr_log(GPR_ERROR, "%s", std::string(5000, 'x').c_str());
  EXPECT_GT(Said().size(), 500u);
  EXPECT_LT(Said().size(), 10'000u);
}

TEST_F(LibraryLogTest, LetsGoInTheEnd) {
  { const LibraryLog library(log_, clock_); }
  gpr_log(GPR_ERROR, "to whom it may concern");
  EXPECT_THAT(Said(), Not(HasSubstr("to whom")));
}

}  // namespace
}  // namespace ddsp::server
