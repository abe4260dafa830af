// What a Prometheus scrape says, as numbers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::client {

using Labels = std::map<std::string, std::string>;

class Scrape {
 public:
  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };

  // Text of the exposition format 0.0.4. Errors: INVALID_ARGUMENT with the line that is none.
  static absl::StatusOr<Scrape> Parse(const std::string& text);

  const std::vector<Sample>& samples() const { return samples_; }
  bool Has(const std::string& name) const;
  // Over all samples of the name that have these labels, among others; 0 where there are none.
  double Sum(const std::string& name, const Labels& labels = {}) const;
  double Max(const std::string& name, const Labels& labels = {}) const;
  // Values of a label, sorted.
  std::set<std::string> LabelsOf(const std::string& name, const std::string& label) const;

 private:
  std::vector<Sample> samples_;
};

// The quantile of what a histogram (its name without _bucket) saw between two scrapes, interpolated within its bucket;
// NaN where it saw nothing. What is beyond the last bucket counts as its bound.
double Quantile(double q, const std::string& histogram, const Labels& labels, const Scrape& before,
                const Scrape& after);

}  // namespace ddsp::client
