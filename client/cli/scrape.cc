#include "client/cli/scrape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

bool HasLabels(const Scrape::Sample& sample, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = sample.labels.find(label.first);
    return found != sample.labels.end() && found->second == label.second;
  });
}

// Reads one line from its beginning on.
class LineReader {
 public:
  explicit LineReader(absl::string_view line) : line_(line) {}

  std::optional<Scrape::Sample> Read() {
    Scrape::Sample sample;
    sample.name = TakeName();
    if (sample.name.empty()) return std::nullopt;
    if (Take('{') && !TakeLabels(&sample.labels)) return std::nullopt;
    const std::vector<std::string> numbers = absl::StrSplit(line_, ' ', absl::SkipEmpty());
    // A time may follow the value.
    if (numbers.empty() || numbers.size() > 2 || !absl::SimpleAtod(Number(numbers[0]), &sample.value)) {
      return std::nullopt;
    }
    return sample;
  }

 private:
  static std::string Number(const std::string& text) { return text == "+Inf" ? "inf" : text == "-Inf" ? "-inf" : text; }

  bool Take(char c) {
    if (line_.empty() || line_[0] != c) return false;
    line_.remove_prefix(1);
    return true;
  }
  std::string TakeName() {
    size_t end = 0;
    while (end < line_.size() && (absl::ascii_isalnum(line_[end]) || line_[end] == '_' || line_[end] == ':')) ++end;
    const std::string name(line_.substr(0, end));
    line_.remove_prefix(end);
    return name;
  }
  bool TakeLabels(Labels* labels) {
    while (!Take('}')) {
      const std::string name = TakeName();
      std::string value;
      if (name.empty() || !Take('=') || !Take('"') || !TakeQuoted(&value)) return false;
      (*labels)[name] = std::move(value);
      if (!Take(',') && (line_.empty() || line_[0] != '}')) return false;
    }
    return true;
  }
  bool TakeQuoted(std::string* value) {
    while (!line_.empty()) {
      const char c = line_[0];
      line_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        *value += c;
        continue;
      }
      if (line_.empty()) return false;
      *value += line_[0] == 'n' ? '\n' : line_[0];
      line_.remove_prefix(1);
    }
    return false;
  }

  absl::string_view line_;
};

// What each bucket, by its upper bound, had counted: cumulative over the bounds.
std::map<double, double> Buckets(const std::string& histogram, const Labels& labels, const Scrape& scrape) {
  std::map<double, double> buckets;
  for (const Scrape::Sample& sample : scrape.samples()) {
    if (sample.name != histogram + "_bucket" || !HasLabels(sample, labels)) continue;
    const auto bound = sample.labels.find("le");
    double le = std::numeric_limits<double>::infinity();
    if (bound == sample.labels.end()) continue;
    if (bound->second != "+Inf" && !absl::SimpleAtod(bound->second, &le)) continue;
    buckets[le] += sample.value;
  }
  return buckets;
}

}  // namespace

absl::StatusOr<Scrape> Scrape::Parse(const std::string& text) {
  Scrape scrape;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line[0] == '#') continue;
    std::optional<Sample> sample = LineReader(line).Read();
    if (!sample.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("'", line.substr(0, 80), "' is no line of a scrape"));
    }
    scrape.samples_.push_back(*std::move(sample));
  }
  return scrape;
}

bool Scrape::Has(const std::string& name) const {
  return std::any_of(samples_.begin(), samples_.end(), [&](const Sample& sample) { return sample.name == name; });
}

double Scrape::Sum(const std::string& name, const Labels& labels) const {
  double sum = 0;
  for (const Sample& sample : samples_) {
    if (sample.name == name && HasLabels(sample, labels)) sum += sample.value;
  }
  return sum;
}

double Scrape::Max(const std::string& name, const Labels& labels) const {
  double most = 0;
  for (const Sample& sample : samples_) {
    if (sample.name == name && HasLabels(sample, labels)) most = std::max(most, sample.value);
  }
  return most;
}

std::set<std::string> Scrape::LabelsOf(const std::string& name, const std::string& label) const {
  std::set<std::string> values;
  for (const Sample& sample : samples_) {
    if (sample.name != name) continue;
    if (const auto found = sample.labels.find(label); found != sample.labels.end()) values.insert(found->second);
  }
  return values;
}

double Quantile(double q, const std::string& histogram, const Labels& labels, const Scrape& before,
                const Scrape& after) {
  const std::map<double, double> old = Buckets(histogram, labels, before);
  std::map<double, double> seen = Buckets(histogram, labels, after);
  for (auto& [bound, count] : seen) {
    if (const auto found = old.find(bound); found != old.end()) count -= found->second;
  }
  // A server that was started anew counts from zero.
  if (!seen.empty() && seen.rbegin()->second < 0) seen = Buckets(histogram, labels, after);
  const double total = seen.empty() ? 0 : seen.rbegin()->second;
  if (total <= 0) return std::numeric_limits<double>::quiet_NaN();
  double lower = 0, counted = 0;
  for (const auto& [bound, count] : seen) {
    if (count >= q * total && count > counted) {
      if (std::isinf(bound)) return lower;
      return lower + (bound - lower) * std::clamp((q * total - counted) / (count - counted), 0.0, 1.0);
    }
    if (!std::isinf(bound)) lower = bound;
    counted = count;
  }
  return lower;
}

}  // namespace ddsp::client
