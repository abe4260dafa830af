#pragma once

#include <cstdint>
#include <string>

#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

// Takes what a job has to tell; the next heartbeat carries it. Any number of threads may call, none waits.
class JobReporter {
 public:
  virtual ~JobReporter() = default;
  // Steps or files; total 0: not known.
  virtual void SetProgress(int64_t done, int64_t total) = 0;
  // Values that are not finite are left out.
  virtual void SetMetric(const std::string& name, double value) = 0;
  // A checkpoint that has been uploaded.
  virtual void SetCheckpoint(int64_t step, const std::string& sha256) = 0;
  // A file of the result to come that has been uploaded: the server keeps it until the job is done.
  virtual void AddOutput(const std::string& sha256) = 0;
  // A listening example that has been uploaded; the newest kMaxExamples are kept.
  virtual void AddExample(const v1::JobFile& file) = 0;
  // A line for the job's log.
  virtual void Say(const std::string& line) = 0;
};

}  // namespace ddsp::worker
