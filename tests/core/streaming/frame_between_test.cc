#include "core/streaming/frame_between.h"

#include <cmath>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

FeatureFrame Note(float f0_hz, float db = -20, bool voiced = true) {
  FeatureFrame frame;
  frame.f0_hz = f0_hz;
  frame.voiced = voiced;
  frame.loudness_db = db;
  frame.power_db = db - 3;
  return frame;
}

TEST(FrameBetween, GlidesInSemitonesWithinANote) {
  const FeatureFrame from = Note(440, -30), to = Note(440 * std::exp2(1.0f / 12), -20);
  const FeatureFrame middle = FrameBetween(from, to, 0.4);
  EXPECT_NEAR(12 * std::log2(middle.f0_hz / 440), 0.4, 1e-4);
  EXPECT_FLOAT_EQ(middle.loudness_db, -26);
  EXPECT_FLOAT_EQ(middle.power_db, -29);
  EXPECT_TRUE(middle.voiced);
}

TEST(FrameBetween, IsTheLaterFrameAtItsEnd) {
  const FeatureFrame to = Note(333.3f, -21.7f);
  EXPECT_EQ(FrameBetween(Note(331), to, 1).f0_hz, to.f0_hz);
  EXPECT_EQ(FrameBetween(Note(331), to, 1).loudness_db, to.loudness_db);
}

// Another note, and the end of an unvoiced stretch however near: nothing lies between the two pitches.
TEST(FrameBetween, LeapsBetweenTwoFrames) {
  for (const FeatureFrame& from : {Note(440), Note(300, -80, false)}) {
    const FeatureFrame to = Note(310);
    for (const double share : {0.2, 0.4}) EXPECT_EQ(FrameBetween(from, to, share).f0_hz, from.f0_hz);
    for (const double share : {0.6, 0.8, 1.0}) EXPECT_EQ(FrameBetween(from, to, share).f0_hz, to.f0_hz);
  }
}

// A client's controls may name no pitch: 0 Hz, unvoiced.
TEST(FrameBetween, StaysFiniteWithoutAPitch) {
  EXPECT_EQ(FrameBetween(Note(0, -20, false), Note(100), 0.2).f0_hz, 0);
  EXPECT_EQ(FrameBetween(Note(100), Note(0, -20, false), 0.8).f0_hz, 0);
}

}  // namespace
}  // namespace ddsp
