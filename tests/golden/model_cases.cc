// models.*: whole autoencoders.
#include "tests/golden/adapters.h"
#include "tests/golden/golden_model.h"

namespace ddsp::golden {
namespace {

NamedTensors AutoencoderCase(Call& call) {
  const GoldenModel model(call.Text("gin", ""));
  call.Args();  // the files and overrides that the text was made from
  return model.Run(call.Inputs(), call.Params());
}

}  // namespace

const AdapterEntry kModelAdapters[] = {
    {"models.Autoencoder", AutoencoderCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
