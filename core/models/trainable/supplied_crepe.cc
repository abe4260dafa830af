#include "core/models/trainable/supplied_crepe.h"

#include "absl/strings/str_cat.h"

namespace ddsp {

std::shared_ptr<const CrepeNetwork> SuppliedCrepe(GinArguments& args, const std::string& parameter,
                                                  const std::string& fallback) {
  const std::string capacity = args.Text(parameter, fallback);
  const std::shared_ptr<const CrepeNetwork>& crepe = args.options().crepe;
  if (crepe == nullptr) {
    args.Reject(absl::StrCat(args.class_name(),
                             " needs the weights of CREPE, which do not come with this library: give them with "
                             "--crepe-weights FILE.safetensors (GinModelOptions::crepe)"));
  } else if (IsCrepeCapacity(capacity) && crepe->Capacity() != capacity) {
    args.Reject(parameter, absl::StrCat("is '", capacity, "', but the weights of CREPE that are given are those of '",
                                        crepe->Capacity(), "'"));
  }
  return crepe;
}

}  // namespace ddsp
