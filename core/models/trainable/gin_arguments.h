// The constructor arguments that a gin configuration gives a configurable, read by name and type. What is wrong with
// them is collected, so that a caller hears of everything at once.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/gin/config.h"
#include "core/models/trainable/prior.h"

namespace ddsp {

class CrepeNetwork;

// What the caller of ModelFromGin() brings beside a configuration.
struct GinModelOptions {
  std::optional<at::Generator> generator;  // of start values; none: LibTorch's default one
  // For losses.PretrainedCREPEEmbeddingLoss, losses.EmbeddingLoss and OnlineF0PowerPreprocessor.compute_f0. Null: there
  // is none, and configurations with one of these are rejected.
  std::shared_ptr<const CrepeNetwork> crepe;
  ControlPrior harmonic_distribution_prior;  // of an InverseSynthesis
  LatentPrior z_global_prior, z_note_prior;  // of a ZMidiAutoencoder
};

// Everything that is wrong with a configuration, a line each, each with its position; what is told twice counts once.
class GinProblems {
 public:
  void Add(const gin::Position& position, absl::string_view what);
  void Add(const absl::Status& status);  // unless it is OK
  bool empty() const { return lines_.empty(); }
  // OK, or INVALID_ARGUMENT with all lines.
  absl::Status Finish() const;

 private:
  std::vector<std::string> lines_;
};

class GinArguments {
 public:
  // Of what `reference`, an @x() or @x, names where `scope` is active. `config` and what the pointers point to outlive
  // this; without options there are the default ones.
  GinArguments(const gin::Config& config, const gin::Value& reference, const std::string& scope, GinProblems* problems,
               const GinModelOptions* options = nullptr);

  // With the last of its modules: "encoders.MfccRnnEncoder"; "" if the reference names nothing known.
  const std::string& class_name() const { return class_name_; }
  const gin::Position& position() const { return position_; }  // of the reference

  // The value of a parameter, or the fallback if it is not bound or of another type, which is a problem.
  int64_t Int(const std::string& name, int64_t fallback, int64_t minimum);
  double Number(const std::string& name, double fallback);
  bool Flag(const std::string& name, bool fallback);
  std::string Text(const std::string& name, const std::string& fallback);  // "" for None
  std::vector<int64_t> Integers(const std::string& name, const std::vector<int64_t>& fallback);
  std::vector<std::string> Texts(const std::string& name, const std::vector<std::string>& fallback);  // {} for None
  // (('amps', 1), ('noise_magnitudes', 65)): names with how many channels each has.
  using Splits = std::vector<std::pair<std::string, int64_t>>;
  Splits ReadSplits(const std::string& name, const Splits& fallback);

  // The arguments of what a parameter refers to; nullopt for None or no binding.
  std::optional<GinArguments> Child(const std::string& name);
  // Of each reference of a list; a single reference is a list of one.
  std::vector<GinArguments> Children(const std::string& name);

  // Parameters that make no difference here.
  void Ignore(const std::vector<std::string>& names) { read_.insert(names.begin(), names.end()); }
  // A problem unless the parameter has the one value that is possible here.
  void ExpectFlag(const std::string& name, bool only, bool fallback);
  // A problem if the parameter is bound to anything but None.
  void ExpectNone(const std::string& name, absl::string_view what);
  // A problem at the parameter, or at the reference if it is not bound.
  void Reject(const std::string& name, absl::string_view what);
  // A problem at the reference.
  void Reject(absl::string_view what) { problems_->Add(position_, what); }
  // Takes the value, or notes the error as a problem and returns a default.
  template <typename StatusOrT>
  typename StatusOrT::value_type Accept(const std::string& name, StatusOrT value) {
    if (value.ok()) return *std::move(value);
    Reject(name, value.status().message());
    return {};
  }
  // Parameters that nobody read are problems.
  void Finish();

  const gin::Config& config() const { return *config_; }
  const gin::Parameters& parameters() const { return parameters_; }
  const std::string& scope() const { return scope_; }
  GinProblems& problems() { return *problems_; }
  const GinModelOptions& options() const { return *options_; }

 private:
  const gin::Value* Find(const std::string& name);  // null: not bound, or None
  void Mismatch(const std::string& name, const gin::Value& value, absl::string_view expected);

  const gin::Config* config_;
  GinProblems* problems_;
  const GinModelOptions* options_;
  std::string class_name_, scope_;
  gin::Position position_;
  gin::Parameters parameters_;
  std::set<std::string> read_;
};

}  // namespace ddsp
