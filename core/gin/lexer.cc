#include "core/gin/lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/gin/literal.h"

namespace ddsp::gin {
namespace {

constexpr absl::string_view kSymbols = "=:,()[]{}@%/.-", kOpen = "([{", kClose = ")]}";

bool IsNameStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsNamePart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

class Lexer {
 public:
  Lexer(absl::string_view text, const std::string& file) : text_(text), file_(file) {}

  absl::StatusOr<std::vector<Token>> Run() {
    if (const size_t bad = FindInvalidUtf8(text_); bad < text_.size()) {
      while (at_ < bad) Step();
      return ErrorAt(Here(), "the text is not UTF-8");
    }
    while (at_ < text_.size()) RETURN_IF_ERROR(Next());
    if (!brackets_.empty()) return ErrorAt(brackets_.back().second, "the bracket is not closed");
    EndLine();
    Add(Token::Kind::kEnd, at_);
    return std::move(tokens_);
  }

 private:
  absl::Status Next() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      Step();
      after_space_ = true;
      return absl::OkStatus();
    }
    if (c == '\n') {
      if (brackets_.empty()) EndLine();
      Step();
      after_space_ = true;
      return absl::OkStatus();
    }
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') Step();
      return absl::OkStatus();
    }
    if (c == '\\') return JoinLines();
    if (IsQuoteNext()) return Quoted();
    if (absl::ascii_isdigit(c) || (c == '.' && absl::ascii_isdigit(Peek(1)))) return Number();
    if (IsNameStart(c)) return Name();
    return Symbol();
  }

  absl::Status JoinLines() {
    const Position start = Here();
    Step();
    if (Peek(0) == '\r') Step();
    if (Peek(0) != '\n') return ErrorAt(start, "something follows the backslash at the end of a line");
    Step();
    after_space_ = true;
    return absl::OkStatus();
  }

  // A quote, or a prefix of one: r'...', b"...".
  bool IsQuoteNext() const {
    size_t i = at_;
    while (i < text_.size() && i < at_ + 2 && absl::ascii_isalpha(text_[i])) ++i;
    return i < text_.size() && (text_[i] == '\'' || text_[i] == '"');
  }

  absl::Status Quoted() {
    const Position start = Here();
    const size_t begin = at_;
    std::string prefix;
    while (absl::ascii_isalpha(text_[at_])) prefix += absl::ascii_tolower(Step());
    if (!prefix.empty() && prefix != "r" && prefix != "u") {
      return ErrorAt(start, absl::StrCat("texts with the prefix ", prefix, " are not supported"));
    }
    const char quote = text_[at_];
    const absl::string_view rest = text_.substr(at_);
    const std::string triple(3, quote);
    const std::string end = absl::StartsWith(rest, triple) ? triple : std::string(1, quote);
    for (size_t i = 0; i < end.size(); ++i) Step();
    const size_t content = at_;
    while (!absl::StartsWith(text_.substr(at_), end)) {
      const bool escaped = Peek(0) == '\\';
      if (escaped) Step();
      if (at_ >= text_.size() || (text_[at_] == '\n' && end.size() == 1 && !escaped)) {
        return ErrorAt(start, "the text has no closing quote");
      }
      Step();
    }
    const absl::string_view inside = text_.substr(content, at_ - content);
    for (size_t i = 0; i < end.size(); ++i) Step();
    absl::StatusOr<std::string> value = prefix == "r" ? std::string(inside) : Unescape(inside);
    if (!value.ok()) return ErrorAt(start, value.status().message());
    Add(Token::Kind::kText, begin, start).value = *std::move(value);
    return absl::OkStatus();
  }

  absl::Status Number() {
    const Position start = Here();
    const size_t begin = at_;
    const bool prefixed = text_[at_] == '0' && absl::ascii_isalpha(Peek(1)) && absl::ascii_tolower(Peek(1)) != 'e';
    while (at_ < text_.size() && (IsNamePart(text_[at_]) || text_[at_] == '.')) {
      const bool exponent = !prefixed && absl::ascii_tolower(text_[at_]) == 'e';
      Step();
      if (exponent && (Peek(0) == '-' || Peek(0) == '+')) Step();
    }
    absl::StatusOr<Value::Content> value = ParseNumber(text_.substr(begin, at_ - begin));
    if (!value.ok()) return ErrorAt(start, value.status().message());
    Add(Token::Kind::kNumber, begin, start).value = *std::move(value);
    return absl::OkStatus();
  }

  absl::Status Name() {
    const Position start = Here();
    const size_t begin = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) Step();
    Add(Token::Kind::kName, begin, start);
    return absl::OkStatus();
  }

  absl::Status Symbol() {
    const Position start = Here();
    const size_t begin = at_;
    const char c = text_[at_];
    if (!absl::StrContains(kSymbols, c)) return ErrorAt(start, absl::StrCat("unexpected ", Quote(Character())));
    if (absl::StrContains(kOpen, c)) brackets_.emplace_back(c, start);
    if (const size_t kind = kClose.find(c); kind != absl::string_view::npos) {
      if (brackets_.empty() || brackets_.back().first != kOpen[kind]) {
        return ErrorAt(start, absl::StrCat("'", std::string(1, c), "' closes no bracket"));
      }
      brackets_.pop_back();
    }
    Step();
    Add(Token::Kind::kSymbol, begin, start);
    return absl::OkStatus();
  }

  // The character at this place: one or several bytes.
  std::string Character() const {
    size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) ++end;
    return std::string(text_.substr(at_, end - at_));
  }

  void EndLine() {
    if (!tokens_.empty() && tokens_.back().kind != Token::Kind::kEndOfLine) Add(Token::Kind::kEndOfLine, at_);
  }

  Token& Add(Token::Kind kind, size_t begin) { return Add(kind, begin, Here()); }
  Token& Add(Token::Kind kind, size_t begin, const Position& position) {
    tokens_.push_back({kind, text_.substr(begin, at_ - begin), None(), position, std::exchange(after_space_, false)});
    return tokens_.back();
  }

  char Step() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      line_start_ = at_;
    }
    return c;
  }
  char Peek(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Position Here() const { return {file_, line_, static_cast<int>(at_ - line_start_) + 1}; }

  const absl::string_view text_;
  const std::string& file_;
  size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
  bool after_space_ = false;
  std::vector<std::pair<char, Position>> brackets_;
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(absl::string_view text, const std::string& file) {
  return Lexer(text, file).Run();
}

}  // namespace ddsp::gin
