#include <gtest/gtest.h>

#include "server/errors/errors.h"
#include "server/rpc/render_call.h"

namespace ddsp::server {
namespace {

TEST(CheckRender, TakesWhatFitsTheConfig) {
  v1::RenderRequest audio, controls;
  audio.set_audio("abcd");
  EXPECT_TRUE(CheckRender(audio).ok());
  controls.mutable_config()->set_input(v1::SESSION_INPUT_CONTROLS);
  controls.add_frames()->set_f0_hz(440);
  controls.set_frame_samples(320);
  EXPECT_TRUE(CheckRender(controls).ok());
}

TEST(CheckRender, RefusesPacketsAndTheWrongKindOfInput) {
  v1::RenderRequest request;
  request.mutable_config()->mutable_output_format()->set_encoding(v1::OPUS);
  EXPECT_EQ(ReasonOf(CheckRender(request)), "FORMAT_UNSUPPORTED");
  request.Clear();
  request.add_frames();
  EXPECT_EQ(ReasonOf(CheckRender(request)), "INVALID_CONFIG");
  request.Clear();
  request.mutable_config()->set_input(v1::SESSION_INPUT_CONTROLS);
  request.set_audio("abcd");
  EXPECT_EQ(ReasonOf(CheckRender(request)), "INVALID_CONFIG");
  request.clear_audio();
  request.mutable_config()->mutable_adjust();
  EXPECT_EQ(ReasonOf(CheckRender(request)), "INVALID_CONFIG");
  request.mutable_config()->clear_adjust();
  request.set_frame_samples(1000000);
  EXPECT_EQ(ReasonOf(CheckRender(request)), "INVALID_CONTROL");
}

}  // namespace
}  // namespace ddsp::server
