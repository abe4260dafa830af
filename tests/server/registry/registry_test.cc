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
  const std::shared_ptr<HostedVoice> flute = *registry->Resolve("flute");
  HostedVoice& voice = *flute;
  int returned = 0;
  {
    SlotLease lease = *SlotLease::Take(*VoicePin::Take(flute), [&] { ++returned; });
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
  const std::shared_ptr<HostedVoice> flute = *registry->Resolve("flute");
  const auto take = [&] { return SlotLease::Take(*VoicePin::Take(flute), [] {}); };
  const auto first = take(), second = take();
  EXPECT_FALSE(take().has_value());
  EXPECT_EQ(flute->pins(), 2);
}

// What a session reads after its end, its lease still in hand.
TEST(SlotLease, KeepsTheVoiceButNotItsEngine) {
  std::shared_ptr<HostedVoice> flute = *Violins()->Resolve("flute");
  SlotLease lease = *SlotLease::Take(*VoicePin::Take(flute), [] {});
  int drained = 0;
  EXPECT_FALSE(flute->Close([&] { ++drained; }));
  EXPECT_FALSE(VoicePin::Take(flute).has_value());
  EXPECT_EQ(drained, 0);
  lease.Release();
  EXPECT_EQ(drained, 1);
  flute->FreeEngine();
  flute.reset();
  EXPECT_EQ(lease.voice().id(), "flute/1");
}

TEST(HostedVoice, IsOpenedAgainWhileSessionsPlay) {
  const std::shared_ptr<HostedVoice> flute = *Violins()->Resolve("flute");
  std::optional<VoicePin> pin = VoicePin::Take(flute);
  flute->Close([] { FAIL() << "it was opened again"; });
  flute->Open();
  EXPECT_TRUE(VoicePin::Take(flute).has_value());
  pin.reset();
  EXPECT_TRUE(flute->Close([] {}));
}

TEST(Registry, SaysWhyAVersionDoesNotServe) {
  const auto registry = Violins();
  registry->SetRoutes("flute", {.serving = {}, .absent = {{1, "was unloaded"}}, .aliases = {{"champion", 1}}});
  for (const char* reference : {"flute", "flute/1", "flute@champion"}) {
    const absl::Status error = registry->Resolve(reference).status();
    EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition) << reference;
    EXPECT_EQ(ReasonOf(error), "MODEL_NOT_READY");
    EXPECT_EQ(error.message(), "flute/1 was unloaded");
    EXPECT_EQ(MetadataOf(error), (ErrorMetadata{{"model", "flute"}, {"version", "1"}}));
  }
  EXPECT_EQ(ReasonOf(registry->Resolve("flute/2").status()), "MODEL_NOT_FOUND");
  registry->SetRoutes("flute", {});
  EXPECT_EQ(ReasonOf(registry->Resolve("flute").status()), "MODEL_NOT_FOUND");
}

}  // namespace
}  // namespace ddsp::server
