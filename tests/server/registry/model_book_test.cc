#include "server/registry/model_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A book, the repository it is of, and what its actions do in the world.
class World {
 public:
  explicit World(VersionPolicy policy = {}) : book(policy) {}

  void Publish(int64_t version, bool good = true) {
    published.insert(version);
    if (!good) bad.insert(version);
  }
  void Look(ModelBook::NewVersions fresh = ModelBook::NewVersions::kAsk) { book.Find(published, aliases, fresh); }
  void DoQuick() {
    while (const auto action = book.NextQuick()) book.Take(*action);
  }
  // One slow action; false: there is none.
  bool Step() {
    DoQuick();
    const auto action = book.NextSlow([this](int64_t version) { return sessions[version] == 0; });
    if (!action.has_value()) return false;
    book.Take(*action);
    DoQuick();
    if (action->kind == VersionAction::Kind::kFree) {
      EXPECT_EQ(sessions[action->version], 0) << "a version was freed under its sessions";
      EXPECT_EQ(memory.erase(action->version), 1u);
      book.Freed(action->version);
    } else {
      EXPECT_TRUE(memory.insert(action->version).second) << "loaded twice";
      const bool is_good = bad.count(action->version) == 0;
      const bool serves =
          book.LoadEnded(action->version, is_good ? absl::OkStatus() : absl::DataLossError("a flipped bit"));
      if (!serves) memory.erase(action->version);
    }
    DoQuick();
    return true;
  }
  // Until nothing is left to do.
  void Run() {
    for (int steps = 0; Step(); ++steps) ASSERT_LT(steps, 1000) << "the book never comes to rest";
  }
  std::set<int64_t> InState(VersionState state) const {
    std::set<int64_t> versions;
    for (const auto& [number, version] : book.versions()) {
      if (version.state == state) versions.insert(number);
    }
    return versions;
  }
  std::set<int64_t> ready() const { return InState(VersionState::kReady); }

  ModelBook book;
  std::set<int64_t> published, bad, memory;
  std::map<std::string, int64_t> aliases;
  std::map<int64_t, int> sessions;
};

World Serving(std::initializer_list<int64_t> versions, VersionPolicy policy = {}) {
  World world(policy);
  for (const int64_t version : versions) world.Publish(version);
  world.Look();
  world.Run();
  return world;
}

TEST(ModelBook, KeepsTheNewestAndWhatAliasesName) {
  World world;
  for (const int64_t version : {1, 2, 3}) world.Publish(version);
  world.aliases = {{"champion", 1}};
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1, 3));
  EXPECT_THAT(world.book.Aliases(), ElementsAre(Pair("champion", 1)));
}

TEST(ModelBook, SwapsOnlyWhenTheNewVersionServes) {
  World world = Serving({1});
  world.Publish(2);
  world.Look();
  world.DoQuick();
  EXPECT_THAT(world.ready(), ElementsAre(1));
  ASSERT_TRUE(world.Step());
  EXPECT_THAT(world.ready(), ElementsAre(2));
  EXPECT_EQ(world.book.Find(1)->state, VersionState::kUnloading);
  world.Run();
  EXPECT_THAT(world.memory, ElementsAre(2));
}

TEST(ModelBook, ABadVersionLeavesTheOldOneServing) {
  World world = Serving({1});
  world.Publish(2, /*good=*/false);
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1));
  EXPECT_EQ(world.book.Find(2)->state, VersionState::kUnavailable);
  EXPECT_EQ(world.book.Find(2)->reason, "a flipped bit");
}

TEST(ModelBook, ABadVersionMakesWayForTheNextBest) {
  World world;
  world.Publish(1);
  world.Publish(2);
  world.Publish(3, /*good=*/false);
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(2));
}

TEST(ModelBook, WhatPlaysIsFreedAfterItsLastSession) {
  World world = Serving({1});
  world.sessions[1] = 1;
  world.Publish(2);
  world.Look();
  world.Run();
  EXPECT_THAT(world.memory, ElementsAre(1, 2));
  world.sessions[1] = 0;
  world.Run();
  EXPECT_THAT(world.memory, ElementsAre(2));
  EXPECT_EQ(world.book.Find(1)->state, VersionState::kUnloaded);
}

TEST(ModelBook, UnloadingLoadsNothingElse) {
  World world = Serving({1, 2});
  world.book.Refuse(2);
  world.Run();
  EXPECT_THAT(world.ready(), IsEmpty());
  EXPECT_THAT(world.memory, IsEmpty());
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), IsEmpty()) << "it stays unloaded";
}

TEST(ModelBook, AskingRevivesWhatStillPlays) {
  World world = Serving({1});
  world.sessions[1] = 1;
  world.book.Refuse(1);
  world.Run();
  EXPECT_EQ(world.book.Find(1)->state, VersionState::kUnloading);
  world.book.Ask(1);
  world.DoQuick();
  EXPECT_THAT(world.ready(), ElementsAre(1));
  EXPECT_EQ(world.book.Find(1)->loads, 1);
}

TEST(ModelBook, RefusedWhileLoadingNeverServes) {
  World world;
  world.Publish(1);
  world.Look();
  const auto load = world.book.NextSlow([](int64_t) { return true; });
  world.book.Take(*load);
  world.book.Refuse(1);
  EXPECT_FALSE(world.book.LoadEnded(1, absl::OkStatus()));
  EXPECT_EQ(world.book.Find(1)->state, VersionState::kUnloaded);
}

// Rollback: the old one by name, then the new one away.
TEST(ModelBook, ANamedOldVersionStaysBesideTheNewest) {
  World world = Serving({1, 2});
  world.book.Ask(1);
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1, 2));
  EXPECT_EQ(world.book.serving(), 2);
  world.book.Refuse(2);
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1));
}

TEST(ModelBook, NewVersionsThatNobodyAsksForAreLeft) {
  World world = Serving({1});
  world.Publish(2);
  world.Publish(3);
  world.Look(ModelBook::NewVersions::kLeave);
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1));
  world.book.Ask(2);  // as a publisher does
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(2));
  EXPECT_FALSE(world.book.Find(2)->pinned) << "the policy picks it: the next one replaces it";
}

TEST(ModelBook, AnAliasMovesWhenItsNewTargetServes) {
  World world = Serving({1, 2});
  world.aliases = {{"champion", 1}};
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1, 2));
  world.Publish(3, /*good=*/false);
  world.aliases = {{"champion", 3}};
  world.Look();
  world.Run();
  EXPECT_THAT(world.book.Aliases(), ElementsAre(Pair("champion", 1))) << "it stays on what serves";
  world.bad.clear();
  world.book.Ask(3);
  world.Run();
  EXPECT_THAT(world.book.Aliases(), ElementsAre(Pair("champion", 3)));
  EXPECT_THAT(world.ready(), ElementsAre(3));
}

TEST(ModelBook, WhatIsGoneFromTheRepositoryIsForgotten) {
  World world = Serving({1, 2});
  world.published = {1};
  world.sessions[2] = 1;
  world.Look();
  world.Run();
  EXPECT_THAT(world.ready(), ElementsAre(1)) << "the one below takes over";
  EXPECT_THAT(world.memory, ElementsAre(1, 2));
  world.sessions[2] = 0;
  world.Run();
  EXPECT_EQ(world.book.Find(2), nullptr);
}

// Theorem: whatever operators, publishers and sessions do, and in whatever order,
//   - nothing bad ever serves, and nothing is freed under a session (checked by World);
//   - as long as nobody unloads by name or deletes files, a model that served never stops serving;
//   - left alone it comes to rest, in memory is what serves and what still plays, and, where something wanted serves,
//     nothing else serves.
class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed), world_(PolicyOf(seed)), destroys_(seed % 2 == 0) {}

  void Run() {
    for (int i = 0; i < 300; ++i) {
      Act();
      world_.DoQuick();
      Check();
    }
    world_.Run();
    Check();
    const std::set<int64_t> ready = world_.ready(), wanted = world_.book.Wanted();
    std::set<int64_t> there = ready;
    for (const int64_t version : world_.InState(VersionState::kUnloading)) {
      EXPECT_GT(world_.sessions[version], 0);
      there.insert(version);
    }
    EXPECT_EQ(world_.memory, there);
    EXPECT_THAT(world_.InState(VersionState::kLoading), IsEmpty());
    if (!wanted.empty()) {
      EXPECT_EQ(ready, wanted);
    }
  }

 private:
  static VersionPolicy PolicyOf(uint64_t seed) {
    const char* const texts[] = {"latest", "latest:2", "all", "specific:2,4"};
    return *ParseVersionPolicy(texts[seed / 2 % 4]);
  }
  int Below(int bound) { return static_cast<int>(random_() % bound); }
  int64_t AnyVersion() { return 1 + Below(6); }

  void Act() {
    const int64_t version = AnyVersion();
    const bool known = world_.book.Find(version) != nullptr;
    switch (Below(destroys_ ? 10 : 7)) {
      case 0:
        world_.Publish(version, /*good=*/Below(3) > 0);
        return world_.Look(Below(2) == 0 ? ModelBook::NewVersions::kAsk : ModelBook::NewVersions::kLeave);
      case 1:
      case 2:
        world_.Step();
        return;
      case 3:
        if (known && world_.book.Find(version)->published) world_.book.Ask(version);
        return;
      case 4:
        if (world_.ready().count(version) > 0) ++world_.sessions[version];
        return;
      case 5:
        if (world_.sessions[version] > 0) --world_.sessions[version];
        return;
      case 6:
        world_.aliases["champion"] = version;
        return world_.Look(ModelBook::NewVersions::kLeave);
      case 7:
        if (known) world_.book.Refuse(version);
        return;
      case 8:
        world_.published.erase(version);
        return world_.Look(ModelBook::NewVersions::kLeave);
      case 9:
        if (known) world_.book.TryAgain(version);
        return;
    }
  }

  void Check() {
    for (const int64_t version : world_.ready()) {
      EXPECT_EQ(world_.memory.count(version), 1u);
    }
    if (!destroys_ && served_) {
      EXPECT_FALSE(world_.ready().empty()) << "nothing serves any more";
    }
    served_ |= !world_.ready().empty();
  }

  std::mt19937 random_;
  World world_;
  const bool destroys_;  // whether versions are unloaded by name and deleted
  bool served_ = false;
};

TEST(ModelBook, KeepsItsPromisesWhateverHappens) {
  for (uint64_t seed = 0; seed < 2000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Chance(seed).Run();
  }
}

}  // namespace
}  // namespace ddsp::server
