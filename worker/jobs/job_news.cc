#include "worker/jobs/job_news.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace ddsp::worker {
namespace {

// The server takes no control characters' worth of trouble: a line is a line, of bounded length, cut between
// characters.
std::string OneLine(std::string text) {
  size_t size = std::min(text.size(), JobNews::kMaxLineBytes);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

}  // namespace

JobNews::JobNews(const v1::JobProgress& progress) : progress_(progress) { progress_.clear_time_left(); }

void JobNews::SetProgress(int64_t done, int64_t total) {
  if (progress_.done() == done && progress_.total() == total) return;
  progress_.set_done(done);
  progress_.set_total(total);
  ++changes_;
}

void JobNews::SetMetric(const std::string& name, double value) {
  if (!std::isfinite(value)) return;
  (*progress_.mutable_metrics())[name] = value;
  ++changes_;
}

void JobNews::SetCheckpoint(int64_t step, const std::string& sha256) {
  checkpoint_.emplace();
  checkpoint_->set_step(step);
  checkpoint_->set_sha256(sha256);
}

void JobNews::AddOutput(const std::string& sha256) { outputs_.push_back(sha256); }

void JobNews::AddExample(const v1::JobFile& file) {
  auto* examples = progress_.mutable_examples();
  for (int i = 0; i < examples->size(); ++i) {
    if (examples->Get(i).path() == file.path()) examples->DeleteSubrange(i--, 1);
  }
  *examples->Add() = file;
  if (examples->size() > kMaxExamples) examples->DeleteSubrange(0, examples->size() - kMaxExamples);
  ++changes_;
}

void JobNews::AddLine(std::string line) {
  lines_.push_back(OneLine(std::move(line)));
  // One place is for the line that says what is missing.
  while (lines_.size() >= kMaxLines) {
    lines_.pop_front();
    if (told_lines_ > 0) --told_lines_;
    ++dropped_lines_;
  }
}

void JobNews::Tell(v1::HeartbeatRequest* request) {
  if (changes_ > heard_changes_) *request->mutable_progress() = progress_;
  told_outputs_ = std::min(outputs_.size(), kMaxOutputs);
  for (size_t i = 0; i < told_outputs_; ++i) request->add_outputs(outputs_[i]);
  const bool tells_checkpoint = checkpoint_ && told_outputs_ == outputs_.size();
  if (tells_checkpoint) *request->mutable_checkpoint() = *checkpoint_;
  if (dropped_lines_ > 0) {
    lines_.push_front(absl::StrCat("(", dropped_lines_, " lines are lost: the server was not there to take them)"));
    dropped_lines_ = 0;
  }
  for (const std::string& line : lines_) request->add_log_lines(line);
  told_changes_ = changes_;
  told_step_ = tells_checkpoint ? checkpoint_->step() : -1;
  told_lines_ = lines_.size();
}

void JobNews::Heard() {
  heard_changes_ = told_changes_;
  if (checkpoint_ && checkpoint_->step() == told_step_) checkpoint_.reset();
  lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(told_lines_));
  told_lines_ = 0;
  outputs_.erase(outputs_.begin(), outputs_.begin() + static_cast<std::ptrdiff_t>(told_outputs_));
  told_outputs_ = 0;
}

bool JobNews::empty() const {
  return changes_ == heard_changes_ && !checkpoint_ && lines_.empty() && dropped_lines_ == 0 && outputs_.empty();
}

}  // namespace ddsp::worker
