// No text in a request or its metadata may crash its reader. The first byte: f a list's filter, p its page token, o an
// override of a recipe, t and b traces of the caller, v a version policy, j the name of a job.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/training/recipe/recipe_overrides.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/job_filter.h"
#include "server/jobs/page_token.h"
#include "server/registry/version_policy.h"
#include "server/tracing/trace_context.h"

namespace ddsp::server {
namespace {

// The token of a page of the list goes with the filter.
void ReadFilter(const std::string& text) {
  const auto filter = ParseJobFilter(text);
  if (!filter.ok()) return;
  const auto place = ReadPageToken(MakePageToken({.create_us = 7, .id = "job"}, *filter), *filter);
  if (!place.ok() || place->create_us != 7 || place->id != "job") std::abort();
}

void ReadToken(const std::string& text) { ReadPageToken(text, JobFilter()).status().IgnoreError(); }

void ReadTrace(const std::string& text) {
  const auto context = ParseTraceparent(text);
  if (context.has_value() && ParseTraceparent(ToTraceparent(*context)) != context) std::abort();
}

}  // namespace
}  // namespace ddsp::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ddsp::server;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'f':
      ReadFilter(text);
      break;
    case 'p':
      ReadToken(text);
      break;
    case 'o': {
      ddsp::training::RecipeOverrides overrides;
      ddsp::training::ReadOverride(text, &overrides).IgnoreError();
      break;
    }
    case 't':
      ReadTrace(text);
      break;
    case 'b':
      (void)ParseGrpcTraceBin(text);
      break;
    case 'v':
      ParseVersionPolicies({text}).status().IgnoreError();
      break;
    case 'j':
      IdOf(text).status().IgnoreError();
      break;
  }
  return 0;
}
