#include "core/gin/update.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/gin/lexer.h"
#include "core/gin/parser.h"

namespace ddsp::gin {
namespace {

constexpr char kOldDecoder[] = "ZRnnFcDecoder", kDecoder[] = "RnnFcDecoder";

// Parameters that are gone: a configurable, and what the names of its parameters begin with.
struct Gone {
  const char* selector;
  const char* parameter;
};
constexpr Gone kGone[] = {
    {"SpectralLoss", "delta_delta_freq_weight"},
    {"SpectralLoss", "delta_delta_time_weight"},
    {"DilatedConvEncoder", "resample"},
    {"DilatedConvDecoder", "resample"},
};

bool IsGone(const BindingStatement& binding) {
  for (const Gone& gone : kGone) {
    if (SelectorsMatch(binding.selector, gone.selector) && absl::StartsWith(binding.parameter, gone.parameter)) {
      return true;
    }
  }
  return false;
}

class Updater {
 public:
  Updater(absl::string_view text, std::vector<Token> tokens, const std::vector<Statement>& statements)
      : lines_(absl::StrSplit(text, '\n')), tokens_(std::move(tokens)) {
    for (const Statement& statement : statements) {
      if (const auto* binding = std::get_if<BindingStatement>(&statement)) bindings_.push_back(*binding);
    }
  }

  Update Run() {
    RemoveBindings();
    RenameDecoder();
    std::vector<std::string> kept;
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!removed_.contains(static_cast<int>(i) + 1)) kept.push_back(lines_[i]);
    }
    Update update{absl::StrJoin(kept, "\n"), {}};
    for (const auto& [line, change] : changes_) update.changes.push_back(absl::StrCat("line ", line, ": ", change));
    AddInputKeys(&update);
    return update;
  }

 private:
  void RemoveBindings() {
    std::map<int, bool> block_survives;
    for (const BindingStatement& binding : bindings_) {
      const bool gone = IsGone(binding);
      if (binding.block_line > 0) block_survives[binding.block_line] |= !gone;
      if (!gone) continue;
      for (int line = binding.position.line; line <= binding.last_line; ++line) removed_.insert(line);
      changes_.emplace(binding.position.line, absl::StrCat("removed ", binding.selector, ".", binding.parameter));
    }
    for (const auto& [line, survives] : block_survives) {
      if (!survives) removed_.insert(line);
    }
  }

  // From the end, so that columns stay what they are.
  void RenameDecoder() {
    for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) {
      if (token->kind != Token::Kind::kName) continue;
      decoder_named_ |= token->source == kOldDecoder || token->source == kDecoder;
      if (token->source != kOldDecoder || removed_.contains(token->position.line)) continue;
      lines_[token->position.line - 1].replace(token->position.column - 1, token->source.size(), kDecoder);
      changes_.emplace(token->position.line, absl::StrCat(kOldDecoder, " is now ", kDecoder));
    }
  }

  void AddInputKeys(Update* update) const {
    if (!decoder_named_) return;
    for (const BindingStatement& binding : bindings_) {
      const bool decoder = SelectorsMatch(binding.selector, kDecoder) || SelectorsMatch(binding.selector, kOldDecoder);
      if (decoder && binding.parameter == "input_keys") return;
    }
    const std::string added = absl::StrCat(kDecoder, ".input_keys = (\"f0_scaled\", \"ld_scaled\")");
    absl::StrAppend(&update->text, update->text.ends_with('\n') ? "\n" : "\n\n", added, "\n");
    update->changes.push_back("at the end: added " + added);
  }

  std::vector<std::string> lines_;
  const std::vector<Token> tokens_;
  std::vector<BindingStatement> bindings_;
  std::set<int> removed_;  // lines, counted from 1
  std::multimap<int, std::string> changes_;
  bool decoder_named_ = false;
};

}  // namespace

absl::StatusOr<Update> UpdateConfig(absl::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const std::vector<Statement> statements, ParseStatements(text, file));
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text, file));
  return Updater(text, std::move(tokens), statements).Run();
}

}  // namespace ddsp::gin
