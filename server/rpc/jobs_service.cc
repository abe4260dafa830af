#include "server/rpc/jobs_service.h"

#include <memory>

#include "server/rpc/follow_job_call.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {
namespace {

constexpr char kService[] = "ddsp.v1.Jobs";

// A method of one of the three APIs, on the queue.
template <typename Api, typename Request, typename Response>
void AddUnary(const std::string& name, std::shared_ptr<Api> api, WorkQueue& work,
              absl::Status (Api::*method)(const Request&, Response*), MethodTable* methods) {
  methods->Add(kService, name, [api, &work, method](Call& call) {
    return MakeUnaryCall<Request, Response>(call, &work, [api, method](const Request& request, Response* response) {
      return ((*api).*method)(request, response);
    });
  });
}

}  // namespace

void AddJobsMethods(const JobsService& service, MethodTable* methods) {
  WorkQueue& work = service.work;
  const auto jobs = std::make_shared<JobsApi>(service.jobs, service.blobs, service.check_spec);
  methods->Add(kService, "Create", [jobs, &work](Call& call) {
    const JobOwner owner = {.tenant = call.caller().tenant, .max_waiting = call.caller().limits.queued_jobs};
    return MakeUnaryCall<v1::CreateJobRequest, v1::Job>(
        call, &work,
        [jobs, owner](const auto& request, auto* response) { return jobs->Create(request, owner, response); });
  });
  AddUnary("Get", jobs, work, &JobsApi::Get, methods);
  AddUnary("List", jobs, work, &JobsApi::List, methods);
  AddUnary("Cancel", jobs, work, &JobsApi::Cancel, methods);
  AddUnary("ListLogLines", jobs, work, &JobsApi::ListLogLines, methods);
  const auto blobs = std::make_shared<BlobsApi>(service.blobs);
  AddUnary("BeginUpload", blobs, work, &BlobsApi::BeginUpload, methods);
  AddUnary("UploadChunk", blobs, work, &BlobsApi::UploadChunk, methods);
  AddUnary("CancelUpload", blobs, work, &BlobsApi::CancelUpload, methods);
  AddUnary("DownloadChunk", blobs, work, &BlobsApi::DownloadChunk, methods);
  const auto workers = std::make_shared<WorkersApi>(service.jobs, service.blobs, service.policy, service.publisher);
  AddUnary("Claim", workers, work, &WorkersApi::Claim, methods);
  AddUnary("Heartbeat", workers, work, &WorkersApi::Heartbeat, methods);
  AddUnary("Complete", workers, service.publishing, &WorkersApi::Complete, methods);
  AddUnary("Fail", workers, work, &WorkersApi::Fail, methods);
  AddUnary("Release", workers, work, &WorkersApi::Release, methods);
  for (const auto& [name, follow] : {std::pair("Wait", JobFollow::kWait), std::pair("Watch", JobFollow::kWatch)}) {
    methods->Add(kService, name, [service, follow = follow](Call& call) {
      return std::make_unique<FollowJobCall>(call, follow, service.jobs, service.following, service.clock);
    });
  }
}

}  // namespace ddsp::server
