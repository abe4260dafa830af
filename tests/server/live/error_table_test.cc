// Every error that a client can be told: code, reason, details, and that nothing is left of the call afterwards.
// The table of it for people is errors.md, which this test compares with what servers do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "server/errors/errors.h"
#include "tests/server/live/error_cases.h"

namespace ddsp::testing {

void PrintTo(const ErrorCase& error, std::ostream* out) { *out << error.reason; }

namespace {

using ::testing::ElementsAreArray;

// Where a session stopped.
const std::set<std::string> kSaidByEverySession = {"input_samples", "output_samples", "session_id"};

std::vector<ErrorCase> NativeErrors() {
  std::vector<ErrorCase> all;
  for (const auto& some : {SessionErrors(), AccessErrors(), ModelErrors(), JobErrors()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// Reasons that the native surface tells nobody, with the tests of what becomes of them.
const std::map<std::string, std::string> kSaidElsewhere = {
    {"SESSION_EXISTS", ""},  // a call of the native surface is one session
    {"JOB_NOT_CLAIMABLE", "`Next.EveryStateWithEveryEvent`"},
    {"VOICE_REJECTED", "`JobsTest.AVoiceThatFailsItsGoldenTestFailsItsJob`"},
};

void ExpectDetails(const ErrorCase& expected, const Ending& ending) {
  EXPECT_EQ(ending.code, expected.code) << ending.text;
  EXPECT_EQ(ending.reason, expected.reason) << ending.text;
  EXPECT_EQ(ending.domain, "ddsp.dev");
  std::vector<std::string> values;
  for (const auto& [key, value] : ending.values) {
    EXPECT_NE(value, "") << key;
    const bool is_expected = std::find(expected.values.begin(), expected.values.end(), key) != expected.values.end();
    if (is_expected || !kSaidByEverySession.contains(key)) values.push_back(key);
  }
  EXPECT_THAT(values, ElementsAreArray(expected.values));
  EXPECT_THAT(ending.fields, ElementsAreArray(expected.fields));
  EXPECT_EQ(ending.quota_subject, expected.quota_subject);
  EXPECT_EQ(ending.retry_delay, expected.retry);
  std::string pushback = expected.quota_subject.empty() ? "" : "-1";
  if (expected.retry.has_value()) pushback = absl::StrCat(absl::ToInt64Milliseconds(*expected.retry));
  EXPECT_EQ(ending.pushback, pushback);
}

// Drives a server into the error; what it said.
Ending Provoke(const ErrorCase& error, ErrorRig& rig) {
  if (error.act != nullptr) return error.act(rig);
  const Refused refused = error.refuse(rig);
  const RawHttp2::Answer answer = rig.AskRaw(refused);
  EXPECT_TRUE(answer.ended) << "by the server";
  EXPECT_EQ(answer.header_frames, 1) << "no initial metadata: else a stock client does not try again";
  EXPECT_EQ(answer.data_frames, 0);
  return rig.Ask(refused);
}

class ErrorTable : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorTable, EndsWithItsDetailsAndNothingIsLeft) {
  ErrorRig rig;
  ExpectDetails(GetParam(), Provoke(GetParam(), rig));
  rig.ExpectFree();
  rig.server.reset();  // its end checks that every slot came back once
}

INSTANTIATE_TEST_SUITE_P(Native, ErrorTable, ::testing::ValuesIn(NativeErrors()),
                         [](const auto& info) { return info.param.reason; });

class InferenceErrorTable : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(InferenceErrorTable, EndsWithItsDetailsAndTheReasonInTheText) {
  ErrorRig rig;
  const Ending ending = Provoke(GetParam(), rig);
  ExpectDetails(GetParam(), ending);
  EXPECT_THAT(ending.text, ::testing::StartsWith(GetParam().reason + ": "));
  EXPECT_THAT(ending.text, ::testing::Not(::testing::StartsWith(GetParam().reason + ": " + GetParam().reason)));
  rig.ExpectFree();
  rig.server.reset();
}

INSTANTIATE_TEST_SUITE_P(OpenInference, InferenceErrorTable, ::testing::ValuesIn(InferenceErrors()),
                         [](const auto& info) { return info.param.reason; });

// A reason has one code on both surfaces.
TEST(ErrorTables, SurfacesAgree) {
  std::map<std::string, grpc::StatusCode> codes;
  for (const ErrorCase& error : NativeErrors()) EXPECT_TRUE(codes.emplace(error.reason, error.code).second);
  std::set<std::string> seen;
  for (const ErrorCase& error : InferenceErrors()) {
    EXPECT_TRUE(seen.insert(error.reason).second) << error.reason;
    EXPECT_EQ(codes.emplace(error.reason, error.code).first->second, error.code) << error.reason;
  }
}

TEST(ErrorTables, EveryReasonHasItsCase) {
  std::set<std::string> expected, native;
  for (const server::Reason reason : server::AllReasons()) {
    if (!kSaidElsewhere.contains(std::string(NameOf(reason)))) expected.emplace(NameOf(reason));
  }
  for (const ErrorCase& error : NativeErrors()) native.insert(error.reason);
  EXPECT_EQ(native, expected);
}

std::string DetailsOf(const ErrorCase& error) {
  std::vector<std::string> details;
  if (!error.values.empty()) details.push_back(absl::StrJoin(error.values, ", "));
  if (!error.fields.empty())
    details.push_back(absl::StrCat("BadRequest of `", absl::StrJoin(error.fields, "`, `"), "`"));
  if (!error.quota_subject.empty()) details.push_back("QuotaFailure");
  if (error.retry.has_value()) details.push_back(absl::StrCat("RetryInfo of ", absl::FormatDuration(*error.retry)));
  return absl::StrJoin(details, "; ");
}

// The rows of errors.md, as this test has them.
std::vector<std::string> ExpectedRows() {
  std::map<std::string, ErrorCase> native, inference;
  for (const ErrorCase& error : NativeErrors()) native.emplace(error.reason, error);
  for (const ErrorCase& error : InferenceErrors()) inference.emplace(error.reason, error);
  std::vector<std::string> rows;
  for (const server::Reason reason : server::AllReasons()) {
    const std::string name(NameOf(reason));
    const ErrorCase* const error = native.contains(name)      ? &native.at(name)
                                   : inference.contains(name) ? &inference.at(name)
                                                              : nullptr;
    const std::string how = error == nullptr || error->refuse != nullptr ? "refused" : "ended";
    rows.push_back(absl::StrCat("| `", name, "` | ", absl::StatusCodeToString(CodeOf(reason)), " | ",
                                error == nullptr ? "" : DetailsOf(*error), " | ", error == nullptr ? "" : how, " | ",
                                native.contains(name) ? "yes" : kSaidElsewhere.at(name), " | ",
                                inference.contains(name) ? "yes" : "", " |"));
  }
  return rows;
}

TEST(ErrorTables, ThePageIsTheTable) {
  const absl::StatusOr<std::string> page = ReadFile(DDSP_SOURCE_DIR "/tests/server/live/errors.md");
  ASSERT_TRUE(page.ok()) << page.status();
  std::vector<std::string> rows;
  for (const absl::string_view line : absl::StrSplit(*page, '\n')) {
    if (absl::StartsWith(line, "| `")) rows.emplace_back(line);
  }
  EXPECT_TRUE(rows == ExpectedRows()) << "errors.md is to say\n" << absl::StrJoin(ExpectedRows(), "\n");
}

}  // namespace
}  // namespace ddsp::testing
