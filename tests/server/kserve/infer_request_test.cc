#include "server/kserve/infer_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "google/protobuf/stubs/logging.h"
#include "server/errors/errors.h"
#include "tests/server/kserve/infer_requests.h"

namespace ddsp::server::kserve {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using inference::ModelInferRequest;

const std::vector<float> kThree = {0.5f, -1.0f, 0.25f};

InferRequest Read(ModelInferRequest wire) {
  const absl::StatusOr<InferRequest> request = ReadInferRequest(wire);
  EXPECT_TRUE(request.ok()) << request.status();
  return request.value_or(InferRequest());
}

TEST(ReadInferRequest, TakesRawSamplesAsTheyAre) {
  const InferRequest request = Read(Infer(kThree, "r1"));
  EXPECT_EQ(FloatsOf(request.audio), kThree);
  EXPECT_EQ(request.form, TensorForm::kRaw);
  EXPECT_EQ(request.id, "r1");
  EXPECT_EQ(request.reference(), "violin");
  EXPECT_TRUE(request.whole());
  EXPECT_EQ(request.sequence, "");
}

TEST(ReadInferRequest, TakesContents) {
  ModelInferRequest wire = Infer(kThree);
  wire.clear_raw_input_contents();
  for (const float sample : kThree) wire.mutable_inputs(0)->mutable_contents()->add_fp32_contents(sample);
  const InferRequest request = Read(wire);
  EXPECT_EQ(FloatsOf(request.audio), kThree);
  EXPECT_EQ(request.form, TensorForm::kContents);
}

TEST(ReadInferRequest, NoSamplesAreFine) {
  EXPECT_EQ(Read(Infer({})).samples(), 0);
  ModelInferRequest wire = Infer({});
  wire.clear_raw_input_contents();
  EXPECT_EQ(Read(wire).samples(), 0);
}

TEST(ReadInferRequest, NamesAVersion) {
  ModelInferRequest wire = Infer(kThree);
  wire.set_model_version("3");
  EXPECT_EQ(Read(wire).reference(), "violin/3");
}

TEST(ReadInferRequest, TakesNumbersAndStringsAsSequences) {
  ModelInferRequest wire = InferPart(7, Part::kStart, kThree);
  EXPECT_EQ(Read(wire).sequence, "7");
  EXPECT_TRUE(Read(wire).start);
  EXPECT_FALSE(Read(wire).end);
  (*wire.mutable_parameters())["sequence_id"].set_uint64_param(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(Read(wire).sequence, "18446744073709551615");
  // A string is not the number that it spells.
  (*wire.mutable_parameters())["sequence_id"].set_string_param("7");
  EXPECT_EQ(Read(wire).sequence, "'7'");
}

TEST(ReadInferRequest, ZeroAndEmptyAreNoSequence) {
  ModelInferRequest wire = Infer(kThree);
  (*wire.mutable_parameters())["sequence_id"].set_int64_param(0);
  EXPECT_TRUE(Read(wire).whole());
  (*wire.mutable_parameters())["sequence_id"].set_string_param("");
  EXPECT_TRUE(Read(wire).whole());
}

TEST(ReadInferRequest, TakesOptionalInputs) {
  ModelInferRequest wire = Infer(kThree);
  AddPitch(-12.5f, &wire);
  AddTensor("loudness_shift_db", "FP32", 1, FloatBytes({3.0f}), &wire);
  AddSeed(uint64_t{1} << 63, &wire);
  const InferRequest request = Read(wire);
  EXPECT_EQ(request.pitch_shift_semitones, -12.5);
  EXPECT_EQ(request.loudness_shift_db, 3.0);
  EXPECT_EQ(request.seed, uint64_t{1} << 63);
}

TEST(ReadInferRequest, TakesWhatMeansNothingHere) {
  ModelInferRequest wire = Infer(kThree);
  (*wire.mutable_parameters())["priority"].set_uint64_param(3);
  (*wire.mutable_parameters())["timeout"].set_int64_param(1000000);
  (*wire.mutable_parameters())["triton_enable_empty_final_response"].set_bool_param(true);
  wire.add_outputs()->set_name("audio");
  EXPECT_TRUE(Read(wire).marks_final);
}

struct Fault {
  std::string name;
  std::function<void(ModelInferRequest&)> break_it;
  std::string reason;
  std::string in_text;
};

class ReadInferRequestFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(ReadInferRequestFaults, AreInvalidArgumentsThatSayWhat) {
  ModelInferRequest wire = InferPart(7, Part::kStart, kThree);
  GetParam().break_it(wire);
  const absl::Status status = ReadInferRequest(wire).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), GetParam().reason);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(GetParam().in_text));
}

void AddContents(ModelInferRequest& wire) { wire.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }

const Fault kFaults[] = {
    {"Dtype", [](auto& w) { w.mutable_inputs(0)->set_datatype("FP64"); }, "FORMAT_UNSUPPORTED",
     "is FP64, expected FP32"},
    {"NoDtype", [](auto& w) { w.mutable_inputs(0)->clear_datatype(); }, "FORMAT_UNSUPPORTED", "expected FP32"},
    {"TwoDimensions", [](auto& w) { w.mutable_inputs(0)->add_shape(1); }, "BLOCK_MALFORMED", "has shape [3,1]"},
    {"NoShape", [](auto& w) { w.mutable_inputs(0)->clear_shape(); }, "BLOCK_MALFORMED", "has shape []"},
    {"NegativeShape", [](auto& w) { w.mutable_inputs(0)->set_shape(0, -1); }, "BLOCK_MALFORMED", "has shape [-1]"},
    {"HugeShape", [](auto& w) { w.mutable_inputs(0)->set_shape(0, std::numeric_limits<int64_t>::max()); },
     "BLOCK_MALFORMED", "its shape needs 9223372036854775807"},
    {"ShortRaw", [](auto& w) { w.mutable_raw_input_contents(0)->resize(8); }, "BLOCK_MALFORMED", "its shape needs 3"},
    {"TornRaw", [](auto& w) { w.mutable_raw_input_contents(0)->resize(11); }, "BLOCK_MALFORMED", "has 11 bytes"},
    {"RawMissing", [](auto& w) { w.clear_raw_input_contents(); }, "BLOCK_MALFORMED", "has 0 fp32_contents"},
    {"RawTooMany", [](auto& w) { w.add_raw_input_contents("1234"); }, "BLOCK_MALFORMED",
     "2 raw_input_contents for 1 inputs"},
    {"RawAndContents", AddContents, "BLOCK_MALFORMED", "has contents beside raw_input_contents"},
    {"NoAudio", [](auto& w) { w.clear_inputs(), w.clear_raw_input_contents(); }, "INPUT_MISMATCH",
     "input 'audio' is missing"},
    {"UnknownInput", [](auto& w) { AddTensor("tempo", "FP32", 1, "1234", &w); }, "INVALID_CONFIG", "is 'tempo'"},
    {"AudioTwice", [](auto& w) { AddTensor("audio", "FP32", 1, "1234", &w); }, "INVALID_CONFIG", "comes twice"},
    {"InputParameter",
     [](auto& w) { (*w.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("a"); },
     "INVALID_CONFIG", "inputs[0].parameters[\"shared_memory_region\"] is unknown"},
    {"TwoPitches", [](auto& w) { AddTensor("pitch_shift_semitones", "FP32", 2, "12345678", &w); }, "BLOCK_MALFORMED",
     "more or less than one number"},
    {"SignedSeed", [](auto& w) { AddTensor("seed", "INT64", 1, "12345678", &w); }, "FORMAT_UNSUPPORTED",
     "is INT64, expected UINT64"},
    {"ShortSeed", [](auto& w) { AddTensor("seed", "UINT64", 1, "1234", &w); }, "BLOCK_MALFORMED", "has 4 bytes"},
    {"UnknownOutput", [](auto& w) { w.add_outputs()->set_name("f0"); }, "INVALID_CONFIG", "is 'f0'"},
    {"Classification",
     [](auto& w) {
       auto* output = w.add_outputs();
       output->set_name("audio");
       (*output->mutable_parameters())["classification"].set_int64_param(3);
     },
     "INVALID_CONFIG", "outputs[0].parameters[\"classification\"] is unknown"},
    {"UnknownParameter", [](auto& w) { (*w.mutable_parameters())["swing"].set_double_param(0.6); }, "INVALID_CONFIG",
     "parameters[\"swing\"] is unknown"},
    {"StartIsNoFlag", [](auto& w) { (*w.mutable_parameters())["sequence_start"].set_int64_param(1); }, "INVALID_CONFIG",
     "is no bool_param"},
    {"IdIsAFlag", [](auto& w) { (*w.mutable_parameters())["sequence_id"].set_bool_param(true); }, "INVALID_CONFIG",
     "is neither a number nor a string"},
    {"LongId", [](auto& w) { (*w.mutable_parameters())["sequence_id"].set_string_param(std::string(81, 'x')); },
     "INVALID_CONFIG", "is longer than 80 bytes"},
    {"StartWithoutId", [](auto& w) { w.mutable_parameters()->erase("sequence_id"); }, "INVALID_CONFIG",
     "sequence_start and sequence_end go with it"},
    {"Priority", [](auto& w) { (*w.mutable_parameters())["priority"].set_string_param("high"); }, "INVALID_CONFIG",
     "is no number"},
};

INSTANTIATE_TEST_SUITE_P(Each, ReadInferRequestFaults, ::testing::ValuesIn(kFaults),
                         [](const auto& info) { return info.param.name; });

// Whatever bytes a stranger sends: an answer, and no more samples than came.
TEST(ReadInferRequest, SurvivesGarbage) {
  const google::protobuf::LogSilencer silence;
  const std::string good = InferPart(7, Part::kStart, kThree).SerializeAsString();
  uint32_t random = 1;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (int flips = 1 + i % 4; flips > 0; --flips) {
      random = random * 1664525 + 1013904223;
      bytes[(random >> 8) % bytes.size()] ^= static_cast<char>(1 << (random >> 29));
    }
    ModelInferRequest wire;
    if (!wire.ParseFromString(bytes)) continue;
    const absl::StatusOr<InferRequest> request = ReadInferRequest(wire);
    if (request.ok()) {
      ASSERT_LE(request->audio.size(), bytes.size());
    } else {
      ASSERT_FALSE(ReasonOf(request.status()).empty());
    }
  }
}

}  // namespace
}  // namespace ddsp::server::kserve
