// Tells operators of jobs: a line for each thing that happens to one.
#pragma once

#include <functional>
#include <string>

#include "server/jobs/job_news.h"
#include "server/logs/log.h"

namespace ddsp::server {

// What JobStoreOptions::on_news is to call; empty where there is no log, which otherwise outlives it.
std::function<void(const JobNews& news)> TellNews(Log* log);

}  // namespace ddsp::server
