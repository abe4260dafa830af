#include "server/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"
#include "tests/server/support/fake_engine.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;

VoiceListing Listing(std::string model, int64_t version, std::vector<std::string> aliases = {}) {
  VoiceListing listing;
  listing.model = std::move(model);
  listing.version = version;
  listing.engine = std::make_unique<FakeEngine>(2);
  listing.aliases = std::move(aliases);
  return listing;
}

std::unique_ptr<Registry> Violins() {
  std::vector<VoiceListing> voices;
  voices.push_back(Listing("violin", 10));
  voices.push_back(Listing("violin", 9, {"champion", "old"}));
  voices.push_back(Listing("flute", 1));
  return std::make_unique<Registry>(std::move(voices), std::make_unique<FakeEngine>(2));
}

TEST(Registry, ResolvesNewestVersionAndAlias) {
  const auto registry = Violins();
  EXPECT_EQ((*registry->Resolve("violin"))->id(), "violin/10");
  EXPECT_EQ((*registry->Resolve("violin/9"))->id(), "violin/9");
  EXPECT_EQ((*registry->Resolve("violin@champion"))->id(), "violin/9");
  EXPECT_THAT(registry->models(), ::testing::ElementsAre("flute", "violin"));
}

TEST(Registry, TellsWhatThereIsInsteadOfTheUnknown) {
  for (const char* unknown : {"kazoo", "violin/8", "violin@nobody", "", "violin/09", "features"}) {
    const absl::Status error = Violins()->Resolve(unknown).status();
    EXPECT_EQ(error.code(), absl::StatusCode::kNotFound) << unknown;
    EXPECT_EQ(ReasonOf(error), "MODEL_NOT_FOUND");
    EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr("flute, violin"));
  }
}

TEST(Registry, RepeatsOnlyTheBeginningOfALongName) {
  EXPECT_LT(Violins()->Resolve(std::string(1 << 20, 'x')).status().message().size(), 200u);
}

TEST(SlotLease, GivesItsSlotBackOnce) {
  const auto registry = Violins();
  HostedVoice& voice = **registry->Resolve("flute");
  int returned = 0;
  {
    SlotLease lease = *SlotLease::Take(voice, [&] { ++returned; });
    SlotLease moved = std::move(lease);
    EXPECT_EQ(voice.slots().free_slots(), 1);
    moved.Release();
    EXPECT_EQ(voice.slots().free_slots(), 2);
  }
  EXPECT_EQ(returned, 1);
  EXPECT_EQ(voice.slots().free_slots(), 2);
}

TEST(SlotLease, RefusesWhenAllAreTaken) {
  const auto registry = Violins();
  HostedVoice& voice = **registry->Resolve("flute");
  const auto first = SlotLease::Take(voice, [] {}), second = SlotLease::Take(voice, [] {});
  EXPECT_FALSE(SlotLease::Take(voice, [] {}).has_value());
}

}  // namespace
}  // namespace ddsp::server
