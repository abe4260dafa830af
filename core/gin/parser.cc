#include "core/gin/parser.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/gin/lexer.h"

namespace ddsp::gin {
namespace {

using Kind = Token::Kind;

struct Path {
  std::string text;  // "a/b/module.Class.parameter"
  Position position;

  absl::string_view scope() const {
    const size_t slash = text.rfind('/');
    return slash == std::string::npos ? "" : absl::string_view(text).substr(0, slash);
  }
  absl::string_view last() const {
    const size_t slash = text.rfind('/');
    return slash == std::string::npos ? text : absl::string_view(text).substr(slash + 1);
  }
};

enum class Scopes { kAllowed, kNotAllowed };

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<std::vector<Statement>> Run() {
    while (Peek().kind != Kind::kEnd) RETURN_IF_ERROR(ParseStatement());
    return std::move(statements_);
  }

 private:
  absl::Status ParseStatement() {
    const Token& first = Peek();
    if (first.kind == Kind::kName && first.source == "include" && PeekNext().kind == Kind::kText) return ParseInclude();
    if (first.kind == Kind::kName && (first.source == "import" || first.source == "from") &&
        PeekNext().kind == Kind::kName) {
      return ParseImport();
    }
    ASSIGN_OR_RETURN(const Path key, ParsePath(Scopes::kAllowed));
    if (IsSymbol(":")) return ParseBlock(key, first.position.column);
    RETURN_IF_ERROR(Expect("="));
    ASSIGN_OR_RETURN(Value value, ParseValue());
    const absl::string_view last = key.last();
    const size_t dot = last.rfind('.');
    BindingStatement binding;
    binding.value = std::move(value);
    binding.position = key.position;
    binding.last_line = Peek().position.line;
    if (dot == std::string::npos) {
      binding.scope = key.text;
    } else {
      binding.scope = std::string(key.scope());
      binding.selector = std::string(last.substr(0, dot));
      binding.parameter = std::string(last.substr(dot + 1));
    }
    statements_.push_back(std::move(binding));
    return ExpectEndOfLine();
  }

  // scope/Class:
  //     parameter = value
  absl::Status ParseBlock(const Path& key, int key_column) {
    Take();
    RETURN_IF_ERROR(ExpectEndOfLine());
    const int column = Peek().position.column;
    if (Peek().kind == Kind::kEnd || column <= key_column) {
      return ErrorAt(Peek().position, absl::StrCat("expected an indented parameter of ", key.text));
    }
    while (Peek().kind != Kind::kEnd && Peek().position.column > key_column) {
      if (Peek().position.column != column) return ErrorAt(Peek().position, "the indentation changes inside a block");
      const Position position = Peek().position;
      ASSIGN_OR_RETURN(const Path parameter, ParsePath(Scopes::kNotAllowed));
      if (absl::StrContains(parameter.text, '.')) return ErrorAt(position, "expected the name of a parameter");
      RETURN_IF_ERROR(Expect("="));
      ASSIGN_OR_RETURN(Value value, ParseValue());
      statements_.push_back(BindingStatement{std::string(key.scope()), std::string(key.last()), parameter.text,
                                             std::move(value), position, Peek().position.line, key.position.line});
      RETURN_IF_ERROR(ExpectEndOfLine());
    }
    return absl::OkStatus();
  }

  absl::Status ParseInclude() {
    const Position position = Take().position;
    ASSIGN_OR_RETURN(const Value path, ParseTexts());
    statements_.push_back(IncludeStatement{*path.As<std::string>(), position});
    return ExpectEndOfLine();
  }

  absl::Status ParseImport() {
    const Token keyword = Take();
    ASSIGN_OR_RETURN(const Path module, ParsePath(Scopes::kNotAllowed));
    std::string text = absl::StrCat(keyword.source, " ", module.text);
    if (keyword.source == "from") {
      if (Peek().source != "import") return Unexpected("'import'");
      Take();
      ASSIGN_OR_RETURN(const Path name, ParsePath(Scopes::kNotAllowed));
      absl::StrAppend(&text, " import ", name.text);
    }
    if (Peek().kind == Kind::kName && Peek().source == "as") {
      Take();
      ASSIGN_OR_RETURN(const Path alias, ParsePath(Scopes::kNotAllowed));
      absl::StrAppend(&text, " as ", alias.text);
    }
    statements_.push_back(ImportStatement{std::move(text), keyword.position});
    return ExpectEndOfLine();
  }

  // Names with '.' and '/' between them and nothing else.
  absl::StatusOr<Path> ParsePath(Scopes scopes) {
    if (Peek().kind != Kind::kName) return Unexpected("a name");
    Path path{std::string(Peek().source), Peek().position};
    Take();
    while (IsSymbol(".") || IsSymbol("/")) {
      if (IsSymbol("/") && scopes == Scopes::kNotAllowed) {
        return ErrorAt(Peek().position, "a scope is not allowed here");
      }
      const Token separator = Take();
      const Token& name = Peek();
      if (separator.after_space || name.after_space || name.kind != Kind::kName) {
        return ErrorAt(separator.position, absl::StrCat("'", separator.source, "' must stand between two names"));
      }
      absl::StrAppend(&path.text, separator.source, Take().source);
    }
    return path;
  }

  absl::StatusOr<Value> ParseValue() {
    const Token& token = Peek();
    if (token.kind == Kind::kText) return ParseTexts();
    if (token.kind == Kind::kNumber || IsSymbol("-")) return ParseSigned();
    if (token.kind == Kind::kName) return ParseConstant();
    if (IsSymbol("@")) return ParseReference();
    if (IsSymbol("%")) return ParseMacro();
    if (!IsSymbol("(") && !IsSymbol("[") && !IsSymbol("{")) return Unexpected("a value");
    if (depth_ == kMaxNesting) {
      return ErrorAt(token.position, absl::StrCat("more than ", kMaxNesting, " brackets deep"));
    }
    ++depth_;
    absl::StatusOr<Value> value = IsSymbol("{") ? ParseDict() : ParseItems();
    --depth_;
    return value;
  }

  // Texts that follow each other are one.
  absl::StatusOr<Value> ParseTexts() {
    const Position position = Peek().position;
    std::string text;
    while (Peek().kind == Kind::kText) text += std::get<std::string>(Take().value);
    return Value(std::move(text), position);
  }

  absl::StatusOr<Value> ParseSigned() {
    const Position position = Peek().position;
    const bool negative = IsSymbol("-");
    if (negative) Take();
    if (Peek().kind != Kind::kNumber) return Unexpected("a number");
    const Value::Content number = Take().value;
    if (!negative) return Value(number, position);
    if (const auto* integer = std::get_if<int64_t>(&number)) return Value(-*integer, position);
    return Value(-std::get<double>(number), position);
  }

  absl::StatusOr<Value> ParseConstant() {
    const Position position = Peek().position;
    const absl::string_view name = Peek().source;
    if (name != "True" && name != "False" && name != "None") return Unexpected("a value");
    Take();
    if (name == "None") return Value(None(), position);
    return Value(name == "True", position);
  }

  absl::StatusOr<Value> ParseReference() {
    const Position position = Take().position;
    if (Peek().after_space) return Unexpected("a name right after '@'");
    ASSIGN_OR_RETURN(const Path path, ParsePath(Scopes::kAllowed));
    Reference reference{std::string(path.scope()), std::string(path.last()), Reference::Form::kItself};
    if (IsSymbol("(")) {
      Take();
      RETURN_IF_ERROR(Expect(")"));
      reference.form = Reference::Form::kCalled;
    }
    return Value(std::move(reference), position);
  }

  absl::StatusOr<Value> ParseMacro() {
    const Position position = Take().position;
    if (Peek().after_space) return Unexpected("a name right after '%'");
    ASSIGN_OR_RETURN(const Path path, ParsePath(Scopes::kAllowed));
    return Value(Macro{path.text}, position);
  }

  // A list, a tuple, or a value in parentheses.
  absl::StatusOr<Value> ParseItems() {
    const Token open = Take();
    const absl::string_view close = open.source == "[" ? "]" : ")";
    std::vector<Value> items;
    bool comma = false;
    while (!IsSymbol(close)) {
      ASSIGN_OR_RETURN(Value item, ParseValue());
      items.push_back(std::move(item));
      RETURN_IF_ERROR(TakeComma(close, &comma));
    }
    Take();
    if (open.source == "[") return Value(List{std::move(items)}, open.position);
    if (items.size() == 1 && !comma) return std::move(items.front());
    return Value(Tuple{std::move(items)}, open.position);
  }

  absl::StatusOr<Value> ParseDict() {
    const Position position = Take().position;
    Dict dict;
    bool comma = false;
    while (!IsSymbol("}")) {
      ASSIGN_OR_RETURN(Value key, ParseValue());
      RETURN_IF_ERROR(Expect(":"));
      ASSIGN_OR_RETURN(Value value, ParseValue());
      dict.items.emplace_back(std::move(key), std::move(value));
      RETURN_IF_ERROR(TakeComma("}", &comma));
    }
    Take();
    return Value(std::move(dict), position);
  }

  absl::Status TakeComma(absl::string_view close, bool* comma) {
    if (IsSymbol(close)) return absl::OkStatus();
    if (!IsSymbol(",")) return Unexpected(absl::StrCat("',' or '", close, "'"));
    Take();
    *comma = true;
    return absl::OkStatus();
  }

  absl::Status Expect(absl::string_view symbol) {
    if (!IsSymbol(symbol)) return Unexpected(absl::StrCat("'", symbol, "'"));
    Take();
    return absl::OkStatus();
  }

  absl::Status ExpectEndOfLine() {
    if (Peek().kind != Kind::kEndOfLine) return Unexpected("the end of the line");
    Take();
    return absl::OkStatus();
  }

  absl::Status Unexpected(absl::string_view expected) const {
    const Token& token = Peek();
    const bool end = token.kind == Kind::kEndOfLine || token.kind == Kind::kEnd;
    return ErrorAt(token.position, absl::StrCat("expected ", expected, ", found ",
                                                end ? "the end of the line" : absl::StrCat("'", token.source, "'")));
  }

  const Token& Peek() const { return tokens_[at_]; }
  const Token& PeekNext() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool IsSymbol(absl::string_view symbol) const { return Peek().kind == Kind::kSymbol && Peek().source == symbol; }

  const std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<Statement> statements_;
};

}  // namespace

absl::StatusOr<std::vector<Statement>> ParseStatements(absl::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text, file));
  return Parser(std::move(tokens)).Run();
}

}  // namespace ddsp::gin
