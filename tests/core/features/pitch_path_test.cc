#include "core/features/pitch_path.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

constexpr int kBins = PitchGrid::kBins;
// Against anything of which no path gains by an excursion.
constexpr float kNothing = -1e3f;

using Evidence = std::array<float, kBins>;

Evidence Nothing() {
  Evidence evidence;
  evidence.fill(kNothing);
  return evidence;
}

std::vector<int> Follow(const std::vector<Evidence>& steps) {
  PitchPath path;
  std::vector<int> bins;
  for (const Evidence& evidence : steps) bins.push_back(path.Advance(evidence));
  return bins;
}

// Evidence for some candidates only, drawn anew in each step.
std::vector<Evidence> DrawSteps(const std::vector<int>& candidates, int steps, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(0.0f, 1.5f);
  std::vector<Evidence> result(steps, Nothing());
  for (Evidence& evidence : result) {
    for (int bin : candidates) evidence[bin] = uniform(random);
  }
  return result;
}

double StepCost(int from, int to) {
  const int distance = std::abs(to - from);
  return distance <= 3 ? 0.05 * distance : 1.0;
}

// The best of all paths through the candidates; tells how much worse the best path to another end is.
struct BestPath {
  int end = -1;
  double score = -1e9, lead = 0.0;
};

BestPath TryAllPaths(const std::vector<Evidence>& steps, size_t count, const std::vector<int>& candidates) {
  std::vector<double> best_to(candidates.size(), -1e9);
  std::vector<size_t> path(count);
  for (bool more = true; more;) {
    double score = 0.0;
    for (size_t t = 0; t < count; ++t) {
      if (t > 0) score -= StepCost(candidates[path[t - 1]], candidates[path[t]]);
      score += steps[t][candidates[path[t]]];
    }
    best_to[path.back()] = std::max(best_to[path.back()], score);
    more = false;
    for (size_t t = 0; t < count && !more; ++t) {
      path[t] = (path[t] + 1) % candidates.size();
      more = path[t] != 0;
    }
  }
  BestPath best;
  for (size_t c = 0; c < candidates.size(); ++c) {
    if (best_to[c] > best.score) {
      best = {candidates[c], best_to[c], best_to[c] - best.score};
    } else {
      best.lead = std::min(best.lead, best.score - best_to[c]);
    }
  }
  return best;
}

TEST(PitchPath, EndsWhereTheBestOfAllPathsEnds) {
  std::mt19937 random(11);
  // Glides, jumps and both ends of the grid.
  for (const std::vector<int>& candidates :
       {std::vector<int>{60, 61, 62, 64, 68}, {0, 1, 4, 129, 130}, {20, 40, 43, 44, 80}}) {
    int decided = 0;
    for (int round = 0; round < 30; ++round) {
      const std::vector<Evidence> steps = DrawSteps(candidates, 6, random);
      const std::vector<int> bins = Follow(steps);
      for (size_t t = 0; t < steps.size(); ++t) {
        const BestPath best = TryAllPaths(steps, t + 1, candidates);
        // Nearer than this rounding may decide.
        if (best.lead < 1e-4) continue;
        EXPECT_EQ(bins[t], best.end) << "round " << round << " step " << t;
        ++decided;
      }
    }
    EXPECT_GT(decided, 170);
  }
}

TEST(PitchPath, FirstStepGoesWhereTheEvidenceIs) {
  for (int bin : {0, 1, 65, 129, 130}) {
    Evidence evidence = {};
    evidence[bin] = 0.01f;
    EXPECT_EQ(PitchPath().Advance(evidence), bin);
  }
}

TEST(PitchPath, WeakEvidenceNeedsTimeToLeap) {
  Evidence here = {}, there = {};
  here[30] = 0.3f;
  there[70] = 0.3f;
  // The lead of the old candidate after many steps is a jump's cost, and 0.3 is gained a step.
  std::vector<Evidence> steps(50, here);
  steps.insert(steps.end(), 10, there);
  const std::vector<int> bins = Follow(steps);
  for (int t = 0; t < 53; ++t) EXPECT_EQ(bins[t], 30) << t;
  for (int t = 53; t < 60; ++t) EXPECT_EQ(bins[t], 70) << t;
}

TEST(PitchPath, GlidesAtOnce) {
  std::vector<Evidence> steps(30, Evidence{});
  for (int t = 0; t < 30; ++t) steps[t][40 + 2 * t] = 0.3f;
  const std::vector<int> bins = Follow(steps);
  for (int t = 0; t < 30; ++t) EXPECT_EQ(bins[t], 40 + 2 * t);
}

TEST(PitchPath, MovesAlongTheGridWithItsEvidence) {
  std::mt19937 random(5);
  std::vector<int> middle;
  for (int bin = 50; bin < 80; ++bin) middle.push_back(bin);
  const std::vector<Evidence> steps = DrawSteps(middle, 200, random);
  const std::vector<int> bins = Follow(steps);
  for (int shift : {-50, -17, 1, 24, 51}) {
    std::vector<Evidence> shifted(steps.size(), Nothing());
    for (size_t t = 0; t < steps.size(); ++t) {
      for (int bin : middle) shifted[t][bin + shift] = steps[t][bin];
    }
    const std::vector<int> moved = Follow(shifted);
    for (size_t t = 0; t < steps.size(); ++t) ASSERT_EQ(moved[t], bins[t] + shift) << shift << " step " << t;
  }
}

TEST(PitchPath, AnEndlessNoteIsLeftAsSoonAsAShortOne) {
  Evidence here = {}, there = {};
  here[30] = 0.3f;
  there[70] = 0.3f;
  PitchPath path;
  for (int t = 0; t < 200000; ++t) path.Advance(here);
  for (int t = 0; t < 3; ++t) EXPECT_EQ(path.Advance(there), 30);
  EXPECT_EQ(path.Advance(there), 70);
}

TEST(PitchPath, ACopyGoesOnAsTheOriginal) {
  std::mt19937 random(8);
  const std::vector<Evidence> steps = DrawSteps({3, 4, 9, 60, 130}, 40, random);
  PitchPath path;
  for (int t = 0; t < 20; ++t) path.Advance(steps[t]);
  PitchPath copy = path;
  for (int t = 20; t < 40; ++t) EXPECT_EQ(copy.Advance(steps[t]), path.Advance(steps[t]));
}

}  // namespace
}  // namespace ddsp
