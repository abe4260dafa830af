// A job in words, for people.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::client {

// "train".
std::string KindOf(const v1::Job& job);
// "RUNNING".
std::string StateOf(const v1::Job& job);
// Share of the work that is done, in [0, 1]; 0 where nobody knows.
double ShareOf(const v1::Job& job);
// One line: "step 420 of 1000, loss 3.214, 2.10 steps a second, 0:04:36 left", or what the job waits for, or how it
// ended.
std::string Tell(const v1::Job& job);
// All of it, on several lines.
std::string Describe(const v1::Job& job);

// OK for a job that succeeded; else an error that says how it stands, with its exit code.
absl::Status OutcomeOf(const v1::Job& job);

}  // namespace ddsp::client
