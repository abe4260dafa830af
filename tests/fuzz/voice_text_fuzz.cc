// No text may crash the readers of a voice's files: specification, manifest, aliases, performer profile.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/models/aliases.h"
#include "core/models/manifest.h"
#include "core/models/performer_profile.h"
#include "core/models/text_proto.h"
#include "core/models/voice.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 's': {
      ddsp::Voice voice;
      if (ddsp::ParseTextProto(text, &voice.spec).ok()) ddsp::ValidateVoice(voice);
      break;
    }
    case 'm': {
      const auto manifest = ddsp::ParseManifest(text);
      if (!manifest.ok()) break;
      for (const auto& file : manifest->files()) {
        if (file.path().empty() || file.path()[0] == '/' || file.path().starts_with("..")) std::abort();
      }
      break;
    }
    case 'a': {
      const auto aliases = ddsp::ParseAliases(text);
      if (aliases.ok() && *ddsp::ParseAliases(ddsp::FormatAliases(*aliases)) != *aliases) std::abort();
      break;
    }
    case 'p':
      (void)ddsp::ParseProfile(text);
      break;
  }
  return 0;
}
