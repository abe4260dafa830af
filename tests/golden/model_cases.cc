// models.*: whole autoencoders.
#include "tests/golden/adapters.h"
#include "tests/golden/gin_autoencoder.h"

namespace ddsp::golden {
namespace {

NamedTensors AutoencoderCase(Call& call) {
  const GinAutoencoder model(GinArgs::Parse(call.Text("gin", "")));
  call.Args();  // the files and overrides that the text was made from
  return model.Run(call.Inputs(), call.Params());
}

}  // namespace

const AdapterEntry kModelAdapters[] = {
    {"models.Autoencoder", AutoencoderCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
