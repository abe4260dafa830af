// A sequence without a network and without threads, against a native session with the same samples.
#include "server/kserve/sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/server/kserve/infer_requests.h"
#include "tests/server/support/session_harness.h"

namespace ddsp::server::kserve {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary

class Ear : public Sequence::Listener {
 public:
  void Answered(InferAnswer answer) override { answers.push_back(std::move(answer)); }
  void Ended(Sequence&, const absl::Status& status, std::vector<InferAnswer> rest) override {
    EXPECT_FALSE(ended.has_value()) << "a sequence ends once";
    ended = status;
    for (InferAnswer& answer : rest) answers.push_back(std::move(answer));
  }
  bool MayWrite(const std::shared_ptr<Sequence>& sequence) override {
    if (deaf) held = sequence;
    return !deaf;
  }
  void GiveUp() override { gave_up = true; }

  std::vector<InferAnswer> answers;
  std::optional<absl::Status> ended;
  bool deaf = false, gave_up = false;
  std::shared_ptr<Sequence> held;
};

class SequenceTest : public ::testing::Test {
 protected:
  // Every slot that was taken has come back: the roster's end checks it too.
  void TearDown() override {
    sequence_.reset();
    house_.RunDevice();
    EXPECT_EQ(house_.roster.ledger().opened, house_.roster.ledger().closed);
    EXPECT_EQ(house_.roster.size(), 0);
  }

  static InferRequest Parsed(inference::ModelInferRequest wire) { return *ReadInferRequest(wire); }
  void Open(const inference::ModelInferRequest& wire) {
    const InferRequest first = Parsed(wire);
    absl::StatusOr<std::shared_ptr<Sequence>> opened = Sequence::Open({.sessions = house_.services(),
                                                                       .roster = &house_.roster,
                                                                       .registry = house_.registry.get(),
                                                                       .statistics = &statistics_,
                                                                       .time_of_day = &house_.clock},
                                                                      first, {}, ear_);
    opened_ = opened.status();
    if (!opened.ok()) return;
    sequence_ = *std::move(opened);
    Add(wire);
  }
  bool Add(const inference::ModelInferRequest& wire) {
    const bool added = sequence_->Add(Parsed(wire), absl::ZeroDuration());
    house_.RunDevice();
    return added;
  }
  std::vector<float> Heard() const {
    std::vector<float> all;
    for (const InferAnswer& answer : ear_.answers) {
      const std::vector<float> audio = AudioOf(answer.response);
      all.insert(all.end(), audio.begin(), audio.end());
    }
    return all;
  }
  std::string reason() const { return ear_.ended.has_value() ? ReasonOf(*ear_.ended) : "(not ended)"; }

  House house_;
  InferStatistics statistics_;
  Ear ear_;
  absl::Status opened_;
  std::shared_ptr<Sequence> sequence_;
};

std::vector<float> NativeAnswer(House& house, const std::vector<float>& samples) {
  Caller caller(house);
  caller.Open(FloatConfig());
  // Within the credit that it has.
  for (size_t at = 0; at < samples.size(); at += 8000) caller.Sing(absl::MakeConstSpan(samples).subspan(at, 8000));
  caller.HalfClose();
  house.RunDevice();
  return caller.audio();
}

TEST_F(SequenceTest, AnswersEachRequestWithWhatIsDue) {
  const std::vector<float> samples = Ramp(2000);
  const absl::Span<const float> all(samples);
  const int64_t latency = kVstFormat.latency();
  Open(InferPart(1, Part::kStart, all.subspan(0, 700), "a"));
  Add(InferPart(1, Part::kMiddle, all.subspan(700, 900), "b"));
  Add(InferPart(1, Part::kEnd, all.subspan(1600), "c"));
  ASSERT_EQ(ear_.answers.size(), 3u);
  EXPECT_EQ(ear_.ended, absl::OkStatus());
  EXPECT_EQ(ear_.answers[0].response.id(), "a");
  EXPECT_EQ(AudioOf(ear_.answers[0].response).size(), 0u);
  EXPECT_EQ(static_cast<int64_t>(AudioOf(ear_.answers[1].response).size()), 1600 - latency);
  EXPECT_EQ(static_cast<int64_t>(AudioOf(ear_.answers[2].response).size()), 400 + latency + kVstFormat.tail);
  EXPECT_EQ(ear_.answers[2].response.outputs(0).shape(0), 400 + latency + kVstFormat.tail);
  EXPECT_EQ(ear_.answers[2].response.model_version(), "1");
}

TEST_F(SequenceTest, GivesTheSamplesOfANativeSessionHoweverItIsCut) {
  const std::vector<float> samples = Ramp(4321);
  const std::vector<float> native = NativeAnswer(house_, samples);
  ASSERT_EQ(native.size(), samples.size() + kVstFormat.tail);
  for (const size_t chunk : {1000, 319, 320, 321, 997, 4000}) {
    ear_ = Ear();
    for (size_t at = 0; at < samples.size(); at += chunk) {
      const auto part = absl::MakeConstSpan(samples).subspan(at, chunk);
      const bool last = at + chunk >= samples.size();
      at == 0 ? Open(InferPart(1, Part::kStart, part))
              : (void)Add(InferPart(1, last ? Part::kEnd : Part::kMiddle, part));
    }
    EXPECT_EQ(Heard(), native) << chunk;
    EXPECT_EQ(ear_.answers.size(), (samples.size() + chunk - 1) / chunk);
  }
}

TEST_F(SequenceTest, IsWholeInOneRequestBeyondAnyCredit) {
  const std::vector<float> samples = Ramp(100000);
  Open(Infer(samples));
  EXPECT_EQ(ear_.ended, absl::OkStatus());
  ASSERT_EQ(ear_.answers.size(), 1u);
  EXPECT_EQ(Heard(), NativeAnswer(house_, samples));
}

TEST_F(SequenceTest, RequestsWaitForCreditAndAreAnsweredInOrder) {
  const std::vector<float> samples = Ramp(16000);
  Open(InferPart(1, Part::kStart, samples, "0"));
  // Ten seconds before the device has done anything.
  for (int i = 1; i < 10; ++i) {
    sequence_->Add(Parsed(InferPart(1, i == 9 ? Part::kEnd : Part::kMiddle, samples, std::to_string(i))),
                   absl::ZeroDuration());
  }
  house_.RunDevice();
  ASSERT_EQ(ear_.answers.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ear_.answers[i].response.id(), std::to_string(i));
  EXPECT_EQ(Heard().size(), 160000u + kVstFormat.tail);
}

TEST_F(SequenceTest, AnEmptyRecordingHasAnEmptyAnswer) {
  Open(Infer({}));
  EXPECT_EQ(ear_.ended, absl::OkStatus());
  ASSERT_EQ(ear_.answers.size(), 1u);
  EXPECT_EQ(ear_.answers[0].response.outputs(0).shape(0), 0);
  EXPECT_EQ(ear_.answers[0].response.raw_output_contents(0), "");
}

TEST_F(SequenceTest, AnEmptyEndGivesTheRest) {
  const std::vector<float> samples = Ramp(1000);
  Open(InferPart(1, Part::kStart, samples));
  Add(InferPart(1, Part::kEnd, {}));
  EXPECT_EQ(Heard(), NativeAnswer(house_, samples));
}

// DelayEngine adds the pitch shift to its samples.
TEST_F(SequenceTest, ParametersHoldFromTheirRequestOn) {
  const std::vector<float> zeros(3200, 0.0f);
  Open(InferPart(1, Part::kStart, zeros));
  inference::ModelInferRequest shifted = InferPart(1, Part::kMiddle, zeros);
  AddPitch(5, &shifted);
  Add(shifted);
  Add(InferPart(1, Part::kEnd, zeros));
  const std::vector<float> heard = Heard();
  ASSERT_GE(heard.size(), 9600u);
  EXPECT_EQ(heard[3199], 0.0f);
  EXPECT_EQ(heard[3200], 5.0f);
  EXPECT_EQ(heard[9599], 5.0f);
}

TEST_F(SequenceTest, AnotherSeedOrModelIsRefusedAndNothingIsLost) {
  inference::ModelInferRequest first = InferPart(1, Part::kStart, Ramp(320));
  AddSeed(7, &first);
  Open(first);
  inference::ModelInferRequest next = InferPart(1, Part::kEnd, Ramp(320));
  AddSeed(7, &next);
  EXPECT_TRUE(sequence_->CheckNext(Parsed(next)).ok());
  EXPECT_TRUE(sequence_->CheckNext(Parsed(InferPart(1, Part::kEnd, Ramp(320)))).ok());
  inference::ModelInferRequest other = InferPart(1, Part::kEnd, Ramp(320));
  AddSeed(8, &other);
  EXPECT_EQ(ReasonOf(sequence_->CheckNext(Parsed(other))), "INVALID_CONFIG");
  other = InferPart(1, Part::kEnd, Ramp(320));
  other.set_model_name("cello");
  EXPECT_EQ(ReasonOf(sequence_->CheckNext(Parsed(other))), "INVALID_CONFIG");
  Add(next);
  EXPECT_EQ(ear_.ended, absl::OkStatus());
}

TEST_F(SequenceTest, UnknownModelsAreNotOpened) {
  inference::ModelInferRequest first = Infer(Ramp(320));
  first.set_model_name("kazoo");
  Open(first);
  EXPECT_EQ(ReasonOf(opened_), "MODEL_NOT_FOUND");
  first.set_model_name("violin");
  first.set_model_version("9");
  Open(first);
  EXPECT_EQ(ReasonOf(opened_), "MODEL_NOT_FOUND");
}

TEST_F(SequenceTest, NothingIsOpenedWhileTheServerDrains) {
  house_.roster.Drain();
  Open(Infer(Ramp(320)));
  EXPECT_EQ(ReasonOf(opened_), "SERVER_DRAINING");
}

TEST_F(SequenceTest, NoSlotIsAnErrorOfTheFirstRequest) {
  std::vector<std::unique_ptr<Caller>> others;
  for (int i = 0; i < 4; ++i) others.push_back(std::make_unique<Caller>(house_));
  for (const auto& other : others) other->Open(FloatConfig());
  Open(InferPart(1, Part::kStart, Ramp(320), "x"));
  const absl::Status status = opened_.ok() ? ear_.answers.at(0).status : opened_;
  EXPECT_EQ(ReasonOf(status), "SESSION_SLOTS_EXHAUSTED");
  sequence_.reset();
}

TEST_F(SequenceTest, ABadSampleEndsItAndAnswersAllThatWait) {
  Open(InferPart(1, Part::kStart, Ramp(320), "good"));
  const std::vector<float> bad = {0.0f, NAN};
  Add(InferPart(1, Part::kMiddle, bad, "bad"));
  EXPECT_EQ(reason(), "AUDIO_NOT_FINITE");
  ASSERT_EQ(ear_.answers.size(), 2u);
  EXPECT_TRUE(ear_.answers[0].status.ok());
  EXPECT_EQ(ReasonOf(ear_.answers[1].status), "AUDIO_NOT_FINITE");
  EXPECT_EQ(ear_.answers[1].response.id(), "bad");
  EXPECT_FALSE(Add(InferPart(1, Part::kMiddle, Ramp(320)))) << "it has ended";
  EXPECT_EQ(statistics_.Of("violin", 1).inference_stats().fail().count(), 1u);
  EXPECT_EQ(statistics_.Of("violin", 1).inference_stats().success().count(), 1u);
}

TEST_F(SequenceTest, AFaultOfTheModelEndsIt) {
  std::vector<float> poison(640, 0.0f);
  poison[100] = kPoison;
  Open(InferPart(1, Part::kStart, poison));
  EXPECT_EQ(reason(), "MODEL_NUMERIC_FAULT");
}

TEST_F(SequenceTest, AParameterOutOfRangeIsAnErrorOfTheFirstRequest) {
  inference::ModelInferRequest first = InferPart(1, Part::kStart, Ramp(320));
  AddPitch(100, &first);
  Open(first);
  EXPECT_EQ(reason(), "INVALID_CONFIG");
}

TEST_F(SequenceTest, AParameterOutOfRangeLaterEndsIt) {
  Open(InferPart(1, Part::kStart, Ramp(320)));
  inference::ModelInferRequest next = InferPart(1, Part::kMiddle, Ramp(320));
  AddPitch(NAN, &next);
  Add(next);
  EXPECT_EQ(reason(), "INVALID_CONTROL");
}

TEST_F(SequenceTest, IdlenessEndsIt) {
  Open(InferPart(1, Part::kStart, Ramp(320)));
  house_.clock.Advance(house_.limits.idle_timeout - absl::Seconds(1));
  house_.roster.CheckTimeouts(house_.clock.Now());
  EXPECT_EQ(reason(), "(not ended)");
  Add(InferPart(1, Part::kMiddle, Ramp(320)));
  house_.clock.Advance(house_.limits.idle_timeout);
  house_.roster.CheckTimeouts(house_.clock.Now());
  EXPECT_EQ(reason(), "SESSION_IDLE_TIMEOUT");
  EXPECT_EQ(ear_.answers.size(), 2u) << "nobody waited for anything";
}

TEST_F(SequenceTest, TheStreamsEndAnswersWhatCameAndThenEndsIt) {
  Open(InferPart(1, Part::kStart, Ramp(3200)));
  sequence_->Add(Parsed(InferPart(1, Part::kMiddle, Ramp(3200))), absl::ZeroDuration());
  sequence_->StreamEnded();
  EXPECT_EQ(ear_.ended, std::nullopt);
  house_.RunDevice();
  EXPECT_EQ(ear_.answers.size(), 2u);
  EXPECT_TRUE(ear_.answers[1].status.ok());
  EXPECT_TRUE(absl::IsCancelled(*ear_.ended));
}

TEST_F(SequenceTest, TheStreamsEndEndsAnIdleOneAtOnce) {
  Open(InferPart(1, Part::kStart, Ramp(3200)));
  sequence_->StreamEnded();
  EXPECT_TRUE(absl::IsCancelled(*ear_.ended));
}

TEST_F(SequenceTest, AVanishedClientEndsItInTheMiddleOfAHop) {
  Open(InferPart(1, Part::kStart, Ramp(3200)));
  sequence_->Add(Parsed(InferPart(1, Part::kMiddle, Ramp(3200))), absl::ZeroDuration());
  sequence_->Gone();
  house_.RunDevice();
  EXPECT_TRUE(absl::IsCancelled(*ear_.ended));
}

TEST_F(SequenceTest, AReaderWhoTakesNothingIsGivenUp) {
  ear_.deaf = true;
  Open(InferPart(1, Part::kStart, Ramp(3200)));
  house_.clock.Advance(house_.limits.output_stall_timeout);
  house_.roster.CheckTimeouts(house_.clock.Now());
  EXPECT_TRUE(ear_.gave_up);
  EXPECT_EQ(ear_.ended, std::nullopt) << "its last write is still held";
  ear_.held->ProceedWriting(false);
  house_.RunDevice();
  EXPECT_EQ(reason(), "CLIENT_TOO_SLOW");
  ear_.held.reset();
}

TEST_F(SequenceTest, StatisticsTellTheWaitFromTheWork) {
  Open(InferPart(1, Part::kStart, Ramp(16000)));
  sequence_->Add(Parsed(InferPart(1, Part::kEnd, Ramp(16000))), absl::Milliseconds(3));
  house_.clock.Advance(absl::Milliseconds(10));
  house_.RunDevice();
  const inference::InferStatistics all = statistics_.Of("violin", 1).inference_stats();
  EXPECT_EQ(all.success().count(), 2u);
  EXPECT_EQ(all.compute_input().ns(), 3000000u);
  EXPECT_EQ(all.compute_infer().ns(), 10000000u);
  EXPECT_EQ(all.success().ns(), 13000000u);
}

}  // namespace
}  // namespace ddsp::server::kserve
