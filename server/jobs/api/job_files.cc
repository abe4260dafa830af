#include "server/jobs/api/job_files.h"

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server {

const google::protobuf::RepeatedPtrField<v1::JobFile>& FilesOf(const v1::JobSpec& spec) {
  switch (spec.kind_case()) {
    case v1::JobSpec::kTransfer:
      return spec.transfer().inputs();
    case v1::JobSpec::kRender:
      return spec.render().inputs();
    case v1::JobSpec::kFeatures:
      return spec.features().inputs();
    default:
      return spec.train().data();
  }
}

absl::Status CheckUploaded(const google::protobuf::RepeatedPtrField<v1::JobFile>& files, BlobStore& blobs) {
  for (const v1::JobFile& file : files) {
    const auto size = blobs.Touch(file.sha256());
    if (!size.ok()) {
      return MakeError(Reason::kBlobNotFound,
                       absl::StrCat("file '", file.path(), "' (", file.sha256(), ") has not been uploaded"),
                       {{"path", file.path()}, {"sha256", file.sha256()}});
    }
    if (*size != file.size()) {
      const std::string problem = absl::StrCat("of '", file.path(), "' is ", *size, ", not ", file.size());
      return MakeFieldError(Reason::kInvalidJobRequest, "size " + problem, {{"size", problem}});
    }
  }
  return absl::OkStatus();
}

}  // namespace ddsp::server
