// golden_test DIR: runs every case of every golden file below DIR. The last line is
// "N passed, M failed, K unsupported, D defect"; the exit code is 1 if M > 0, and 2 if DIR is no directory.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/golden/case.h"
#include "tests/golden/runner.h"

namespace {

using ddsp::golden::Verdict;

const char* Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "FAILED";
    case Verdict::kUnsupported:
      return "unsupported";
    case Verdict::kDefect:
      return "defect";
  }
  return "";
}

std::vector<std::string> GoldenFiles(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    if (entry.path().extension() == ".safetensors" || entry.path().filename() == "errors.json")
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void RunFile(const std::string& path, std::map<Verdict, int>* counts) {
  std::printf("%s\n", path.c_str());
  const auto cases = ddsp::golden::ReadCases(path);
  if (!cases.ok()) {
    ++(*counts)[Verdict::kFailed];
    std::printf("  FAILED       %s\n", std::string(cases.status().message()).c_str());
    return;
  }
  for (const auto& c : *cases) {
    const auto outcome = ddsp::golden::Run(c);
    ++(*counts)[outcome.verdict];
    std::printf("  %-11s  %s  %s: %s\n", Name(outcome.verdict), c.fn.c_str(), c.name.c_str(), outcome.detail.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::error_code error;
  if (argc != 2 || !std::filesystem::is_directory(argv[1], error)) {
    std::fprintf(stderr, "usage: golden_test DIR\n");
    if (argc == 2) std::fprintf(stderr, "%s is no directory\n", argv[1]);
    return 2;
  }
  at::set_num_threads(1);
  std::map<Verdict, int> counts;
  for (const std::string& path : GoldenFiles(argv[1])) RunFile(path, &counts);
  std::printf("%d passed, %d failed, %d unsupported, %d defect\n", counts[Verdict::kPassed], counts[Verdict::kFailed],
              counts[Verdict::kUnsupported], counts[Verdict::kDefect]);
  return counts[Verdict::kFailed] > 0 ? 1 : 0;
}
