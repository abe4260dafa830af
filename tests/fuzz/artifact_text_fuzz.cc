// No answer of a store or a registry may crash its reader.
#include <cstdint>
#include <string>

#include "core/artifacts/oci_layout.h"
#include "core/artifacts/oci_manifest.h"
#include "core/artifacts/oci_registry.h"
#include "core/artifacts/s3_listing.h"
#include "core/artifacts/s3_store.h"

namespace {

// As far as a registry gets that has no blob but the manifest of a voice.
void Pull(const std::string& text) {
  auto manifest = ddsp::ParseOciManifest(text);
  if (!manifest.ok()) return;
  const auto read = ddsp::ReadsArtifact({*std::move(manifest), [](const ddsp::OciFile& blob) { return blob.path; }});
  const auto write = [](const std::string&, const std::string&) { return absl::OkStatus(); };
  ddsp::CopyBundle(read, write).IgnoreError();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'l':
      (void)ddsp::ParseS3Listing(text);
      break;
    case 'e':
      (void)ddsp::ParseS3Error(text);
      break;
    case 'm':
      Pull(text);
      break;
    case 'i':
      (void)ddsp::FindInOciIndex(text, "violin");
      break;
    case 'r':
      (void)ddsp::OciReference::Parse(text);
      break;
    case 'c':
      (void)ddsp::OciTokenUrl(text);
      break;
    case 'u':
      (void)ddsp::S3Store::ReadOptions(text, [](const char*) { return nullptr; });
      break;
  }
  return 0;
}
