#include "server/config_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

using google::protobuf::io::Tokenizer;

class Reader : google::protobuf::io::ErrorCollector {
 public:
  Reader(const std::string& text, const std::string& file)
      : file_(file), input_(text.data(), static_cast<int>(text.size())), tokens_(&input_, this) {
    tokens_.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
    tokens_.set_allow_f_after_float(false);
    tokens_.Next();
  }

  absl::StatusOr<std::vector<ConfigEntry>> Read() {
    std::vector<ConfigEntry> entries;
    while (error_.ok() && tokens_.current().type != Tokenizer::TYPE_END) RETURN_IF_ERROR(ReadFlag(&entries));
    RETURN_IF_ERROR(error_);
    return entries;
  }

 private:
  void AddError(int line, int, const std::string& message) override {
    if (error_.ok()) error_ = Error(line, message);
  }
  absl::Status Error(int line, const std::string& message) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ":", line + 1, ": ", message));
  }
  absl::Status Unexpected(const char* expected) {
    if (!error_.ok()) return error_;
    const Tokenizer::Token& token = tokens_.current();
    return Error(token.line, absl::StrCat("expected ", expected,
                                          token.type == Tokenizer::TYPE_END ? ", not the end" : ", not ", token.text));
  }
  bool At(const char* symbol) {
    return tokens_.current().type == Tokenizer::TYPE_SYMBOL && tokens_.current().text == symbol;
  }
  bool Take(const char* symbol) { return At(symbol) && (tokens_.Next(), true); }

  absl::Status ReadFlag(std::vector<ConfigEntry>* entries) {
    const Tokenizer::Token name = tokens_.current();
    if (name.type != Tokenizer::TYPE_IDENTIFIER) return Unexpected("the name of a flag");
    tokens_.Next();
    if (!Take(":")) return Unexpected("':'");
    ConfigEntry entry{.flag = absl::StrCat("--", absl::StrReplaceAll(name.text, {{"_", "-"}})), .line = name.line + 1};
    if (!Take("[")) {
      ASSIGN_OR_RETURN(entry.value, ReadValue());
      entries->push_back(std::move(entry));
    } else if (!Take("]")) {
      do {
        ASSIGN_OR_RETURN(entry.value, ReadValue());
        entries->push_back(entry);
      } while (Take(","));
      if (!Take("]")) return Unexpected("',' or ']'");
    }
    if (!Take(";")) Take(",");
    return absl::OkStatus();
  }

  // A string (or several, which are joined), a number with its sign, or a word.
  absl::StatusOr<std::string> ReadValue() {
    std::string value;
    if (tokens_.current().type == Tokenizer::TYPE_STRING) {
      for (; tokens_.current().type == Tokenizer::TYPE_STRING; tokens_.Next()) {
        Tokenizer::ParseStringAppend(tokens_.current().text, &value);
      }
      return value;
    }
    if (Take("-")) value = "-";
    const Tokenizer::Token& token = tokens_.current();
    if (token.type != Tokenizer::TYPE_INTEGER && token.type != Tokenizer::TYPE_FLOAT &&
        (token.type != Tokenizer::TYPE_IDENTIFIER || !value.empty())) {
      return Unexpected("a value");
    }
    value += token.text;
    tokens_.Next();
    return value;
  }

  const std::string file_;
  google::protobuf::io::ArrayInputStream input_;
  absl::Status error_;
  Tokenizer tokens_;
};

bool IsBare(const std::string& value) {
  double number = 0;
  if (value == "true" || value == "false") return true;
  return !value.empty() && (absl::ascii_isdigit(value[0]) || value[0] == '-') && absl::SimpleAtod(value, &number);
}

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(const std::string& text, const std::string& file) {
  return Reader(text, file).Read();
}

std::string ConfigLine(const std::string& flag, const std::string& value) {
  const std::string name = absl::StrReplaceAll(flag.substr(flag.find_first_not_of('-')), {{"-", "_"}});
  return absl::StrCat(name, ": ", IsBare(value) ? value : absl::StrCat("\"", absl::CEscape(value), "\""), "\n");
}

}  // namespace ddsp::server
