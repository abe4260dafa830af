#include "server/jobs/job_filter.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr JobState kStates[] = {JobState::kQueued,    JobState::kRunning, JobState::kRetryable,
                                JobState::kSucceeded, JobState::kFailed,  JobState::kCancelled};

absl::Status BadFilter(std::string_view what, std::string_view value) {
  const std::string message = absl::StrCat(std::string(what), " '", std::string(value), "'");
  return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat("filter: ", message), {{"filter", message}});
}

// Words, quoted strings without their quotes, and '='.
absl::StatusOr<std::vector<std::string>> Tokens(std::string_view text) {
  std::vector<std::string> tokens;
  for (size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
    size_t end = at + 1;
    if (text[at] == '"') {
      end = text.find('"', at + 1);
      if (end == text.npos) return BadFilter("no closing quote after", text.substr(at));
      tokens.emplace_back(text.substr(at + 1, end - at - 1));
      at = end + 1;
      continue;
    }
    if (text[at] != '=') end = std::min(text.find_first_of(" =\"", at), text.size());
    tokens.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

std::vector<JobState> StatesThat(bool finished) {
  std::vector<JobState> states;
  std::copy_if(std::begin(kStates), std::end(kStates), std::back_inserter(states),
               [finished](JobState state) { return IsFinished(state) == finished; });
  return states;
}

absl::Status AddCondition(const std::string& field, const std::string& value, JobFilter* filter) {
  const auto set_once = [&](std::string* to) {
    if (!to->empty()) return BadFilter("two conditions on", field);
    if (value.empty()) return BadFilter("nothing to compare with", field);
    *to = value;
    return absl::OkStatus();
  };
  if (field == "kind") return set_once(&filter->kind);
  if (field == "display_name") return set_once(&filter->display_name);
  if (field != "state" && field != "done") return BadFilter("there is no field", field);
  if (!filter->states.empty()) return BadFilter("two conditions on the state, the second", value);
  if (field == "done") {
    if (value != "true" && value != "false") return BadFilter("done is true or false, not", value);
    filter->states = StatesThat(value == "true");
    return absl::OkStatus();
  }
  const auto state = JobStateNamed(value);
  if (!state.has_value()) return BadFilter("there is no state", value);
  filter->states = {*state};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JobFilter> ParseJobFilter(std::string_view text) {
  JobFilter filter;
  ASSIGN_OR_RETURN(const std::vector<std::string> tokens, Tokens(text));
  for (size_t at = 0; at < tokens.size(); at += 4) {
    if (tokens.size() - at < 3 || tokens[at + 1] != "=") return BadFilter("expected 'field = value' at", tokens[at]);
    RETURN_IF_ERROR(AddCondition(tokens[at], tokens[at + 2], &filter));
    if (tokens.size() == at + 3) break;
    if (tokens[at + 3] != "AND") return BadFilter("expected AND before", tokens[at + 3]);
    if (tokens.size() == at + 4) return BadFilter("nothing after", "AND");
  }
  return filter;
}

bool Matches(const JobFilter& filter, const Job& job) {
  const bool state =
      filter.states.empty() || std::find(filter.states.begin(), filter.states.end(), job.state) != filter.states.end();
  return state && (filter.kind.empty() || filter.kind == job.kind) &&
         (filter.display_name.empty() || filter.display_name == job.display_name);
}

std::string ToString(const JobFilter& filter) {
  const std::string states = absl::StrJoin(
      filter.states, "|", [](std::string* out, JobState state) { absl::StrAppend(out, std::string(NameOf(state))); });
  return absl::StrCat("state=", states, " kind=\"", absl::CEscape(filter.kind), "\" display_name=\"",
                      absl::CEscape(filter.display_name), "\"");
}

}  // namespace ddsp::server
