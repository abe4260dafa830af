#include "tests/golden/runner.h"

#include <torch/csrc/autograd/autograd.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/dsp/argument.h"
#include "tests/golden/call.h"
#include "tests/golden/compare.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

// Phases that differ by whole turns are equal.
Distance DistanceOf(const std::string& fn, const std::string& result) {
  static const auto* const kPhases =
      new std::set<std::string>{"core.angular_cumsum:out", "core.harmonic_oscillator_bank:final_phase",
                                "core.streaming_harmonic_synthesis:final_phase", "import.VSTSynthesize:phase"};
  return kPhases->contains(fn + ":" + result) ? Distance::kModuloTwoPi : Distance::kLinear;
}

// Collects the worst deviation of a case.
class Score {
 public:
  void Add(const std::string& what, const Deviation& deviation) {
    if (!deviation.within) failures_.push_back(absl::StrCat(what, " ", deviation.description));
    worst_ = std::max(worst_, deviation.excess);
  }
  Outcome Result() const {
    if (failures_.empty())
      return {Verdict::kPassed, absl::StrCat("worst ", absl::StrFormat("%.2g", worst_), " of its tolerance")};
    std::vector<std::string> shown(failures_.begin(), failures_.begin() + std::min<size_t>(3, failures_.size()));
    if (shown.size() < failures_.size()) shown.push_back(absl::StrCat(failures_.size() - shown.size(), " more"));
    return {Verdict::kFailed, absl::StrJoin(shown, "; ")};
  }

 private:
  double worst_ = 0.0;
  std::vector<std::string> failures_;
};

// Replaces the tensors that gradients are wanted of by leaves.
void MakeLeaves(const std::map<std::string, Expected>& wanted, NamedTensors* tensors) {
  for (const auto& [name, expected] : wanted) {
    const auto it = tensors->find(name);
    if (it != tensors->end()) it->second = it->second.detach().clone().requires_grad_(true);
  }
}

Tensor WeightedSum(const NamedTensors& results, const NamedTensors& cotangents) {
  Tensor sum = at::zeros({}, at::kFloat);
  for (const auto& [name, weight] : cotangents) {
    const auto it = results.find(name);
    if (it != results.end()) sum = sum + (it->second.reshape(weight.sizes()) * weight).sum();
  }
  return sum;
}

void ScoreGradients(const std::map<std::string, Expected>& wanted, const NamedTensors& leaves, const Tensor& sum,
                    const std::string& kind, Score* score) {
  for (const auto& [name, expected] : wanted) {
    const auto leaf = leaves.find(name);
    if (leaf == leaves.end()) {
      score->Add(kind + name, {false, INFINITY, "is no argument"});
      continue;
    }
    Tensor gradient;
    if (sum.requires_grad()) {
      gradient = torch::autograd::grad({sum}, {leaf->second}, {}, /*retain_graph=*/true, /*create_graph=*/false,
                                       /*allow_unused=*/true)[0];
    }
    if (!gradient.defined()) gradient = at::zeros_like(leaf->second);
    score->Add(kind + name, Compare(gradient, expected, Distance::kLinear));
  }
}

Outcome RunChecked(Case c, Adapter adapter) {
  MakeLeaves(c.input_gradients, &c.inputs);
  MakeLeaves(c.param_gradients, &c.params);
  Call call(c);
  const NamedTensors results = adapter(call);
  const std::vector<std::string> unread = call.Unread();
  if (!unread.empty()) return {Verdict::kUnsupported, absl::StrJoin(unread, ", ")};

  Score score;
  for (const auto& [name, expected] : c.outputs) {
    const auto it = results.find(name);
    score.Add(name, Compare(it == results.end() ? Tensor() : it->second, expected, DistanceOf(c.fn, name)));
  }
  if (!c.input_gradients.empty() || !c.param_gradients.empty()) {
    // Models have no weights: there the scalar is the total loss.
    const NamedTensors total = {{"loss/total_loss", at::ones({1})}};
    const Tensor sum = WeightedSum(results, c.cotangents.empty() ? total : c.cotangents);
    ScoreGradients(c.input_gradients, c.inputs, sum, "gradient of ", &score);
    ScoreGradients(c.param_gradients, c.params, sum, "gradient of ", &score);
  }
  return score.Result();
}

Outcome RunRejected(const Case& c, Adapter adapter) {
  try {
    Call call(c);
    adapter(call);
  } catch (const c10::ValueError& error) {
    return {Verdict::kPassed, error.what_without_backtrace()};
  } catch (const Rejected& error) {
    return {Verdict::kPassed, error.what()};
  }
  return {Verdict::kFailed, "is accepted, but has to be rejected"};
}

}  // namespace

Outcome Run(const Case& c) {
  const Adapter adapter = FindAdapter(c.fn);
  if (c.defect) return {Verdict::kDefect, "upstream's defect, not copied"};
  if (adapter == nullptr) return {Verdict::kUnsupported, absl::StrCat("unknown function ", c.fn)};
  try {
    return c.rejected ? RunRejected(c, adapter) : RunChecked(c, adapter);
  } catch (const Unsupported& missing) {
    return {Verdict::kUnsupported, missing.what()};
  } catch (const c10::Error& error) {
    return {Verdict::kFailed, error.what_without_backtrace()};
  } catch (const std::exception& error) {
    return {Verdict::kFailed, error.what()};
  }
}

}  // namespace ddsp::golden
