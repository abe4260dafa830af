// nn.*: convolutional and recurrent layers, normalisation, note regions.
#include "core/nn/dilated_conv_stack.h"
#include "core/nn/normalization.h"
#include "core/nn/note_regions.h"
#include "core/nn/polyphase.h"
#include "core/nn/residual.h"
#include "core/nn/rnn_layers.h"
#include "core/nn/vector_quantization.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

void Load(Call& call, Layer& layer) { Unwrap(UseParameters(layer, call.Params())); }

int64_t Channels(const Tensor& x) { return x.defined() ? x.size(-1) : 0; }

NormType NormTypeOf(Call& call, const std::string& fallback) {
  return Unwrap(ParseNormType(call.Text("norm_type", fallback)));
}

Modulation ModulationOf(Call& call) {
  return call.Flag("shift_only", false) ? Modulation::kShiftOnly : Modulation::kScaleAndShift;
}

NamedTensors NormalizeCase(Call& call) {
  const Tensor x = call.In("x");
  Normalize layer(Channels(x), NormTypeOf(call, "layer"));
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors ScaleAndShiftCase(Call& call) {
  const Tensor x = call.In("x"), z = call.In("z");
  ConditionalScaleAndShift layer(Channels(x), Channels(z), ModulationOf(call));
  Load(call, layer);
  return {{"y", layer.Forward(x, z)}};
}

NamedTensors ConditionalNormCase(Call& call) {
  const Tensor x = call.In("x"), z = call.In("z");
  AnyNorm layer({Channels(x), Channels(z), NormTypeOf(call, "instance"), ModulationOf(call)});
  Load(call, layer);
  return {{"y", layer.Forward(x, z)}};
}

NamedTensors VectorQuantizationCase(Call& call) {
  const Tensor x = call.In("x");
  VectorQuantization layer(Channels(x), {call.Int("k"), call.Int("num_heads", 1)});
  Load(call, layer);
  const auto output = layer.Forward(x);
  return {{"z", output.z}, {"c", output.c}};
}

NamedTensors RnnCase(Call& call) {
  const Tensor x = call.In("x");
  Rnn layer({Channels(x), call.Int("dims"), Unwrap(ParseRnnType(call.Text("rnn_type", "gru"))),
             call.Flag("bidir", false) ? RnnDirection::kBoth : RnnDirection::kForward,
             call.Flag("return_sequences", true) ? RnnResult::kSequence : RnnResult::kLastStep});
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

// Consecutive calls over the lengths of `splits`; the state is carried.
NamedTensors StatelessRnnCase(Call& call) {
  const Tensor x = call.In("x"), splits = call.In("splits").to(at::kLong);
  RnnCell cell(Channels(x), call.Int("dims"), Unwrap(ParseRnnType(call.Text("rnn_type", "gru"))));
  NamedTensors parameters;
  for (const auto& [path, value] : call.Params()) parameters[path.substr(std::string("rnn/").size())] = value;
  Unwrap(UseParameters(cell, parameters));
  std::vector<Tensor> pieces, states;
  Tensor state = call.In("state");
  int64_t start = 0;
  for (int64_t i = 0; i < splits.size(0); ++i) {
    const int64_t length = splits[i].item<int64_t>();
    const RnnOutput output = cell.Forward(x.narrow(1, start, length), state);
    pieces.push_back(output.sequence);
    states.push_back(state = output.state);
    start += length;
  }
  return {{"y", at::cat(pieces, 1)}, {"states", at::stack(states)}};
}

NamedTensors SingleGruCase(Call& call) {
  const Tensor x = call.In("x");
  SingleGru layer(Channels(x), call.Int("gru_dim", 128));
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors SandwichCase(Call& call) {
  const Tensor x = call.In("x");
  RnnSandwich layer({Channels(x), call.Int("fc_stack_ch", 256), call.Int("fc_stack_layers", 2), call.Int("rnn_ch", 512),
                     Unwrap(ParseRnnType(call.Text("rnn_type", "gru")))});
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors RnnFcCase(Call& call) {
  const Tensor x = call.In("x");
  RnnFc layer({Channels(x), call.Int("rnn_feat"), call.Int("out_feat"),
               Unwrap(ParseRnnType(call.Text("rnn_type", "lstm"))),
               Unwrap(ParseNonlinearity(call.Text("nonlinearity", "sigmoid"))),
               call.Flag("bidir", false) ? RnnResult::kSequence : RnnResult::kLastStep});
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors FcStackOutCase(Call& call) {
  const Tensor x = call.In("x");
  FcStack stack(Channels(x), call.Int("ch"), call.Int("layers"));
  Dense dense(stack.out_channels(), call.Int("n_out"));
  NamedTensors of_stack, of_dense;
  for (const auto& [path, value] : call.Params()) {
    (path.starts_with("stack/") ? of_stack : of_dense)[path.substr(path.find('/') + 1)] = value;
  }
  Unwrap(UseParameters(stack, of_stack));
  Unwrap(UseParameters(dense, of_dense));
  return {{"y", dense.Forward(stack.Forward(x))}};
}

DilatedConvStack::Resample ResampleOf(Call& call) {
  const std::string type = call.Text("resample_type", "");
  if (type.empty()) return DilatedConvStack::Resample::kNone;
  if (type == "downsample") return DilatedConvStack::Resample::kDown;
  if (type == "upsample") return DilatedConvStack::Resample::kUp;
  throw Rejected("resample_type is " + type);
}

NamedTensors DilatedConvStackCase(Call& call) {
  const Tensor x = call.In("x"), z = call.OptionalIn("z");
  call.Flag("conditional", false);
  DilatedConvStack::Options options;
  options.in = Channels(x);
  options.z_channels = Channels(z);
  options.ch = call.Int("ch", 256);
  options.layers_per_stack = call.Int("layers_per_stack", 5);
  options.stacks = call.Int("stacks", 2);
  options.kernel_size = call.Int("kernel_size", 3);
  options.dilation = call.Int("dilation", 2);
  options.norm_type = NormTypeOf(call, "");
  options.modulation = ModulationOf(call);
  options.resample = ResampleOf(call);
  options.resample_stride = call.Int("resample_stride", 1);
  options.resample_order = call.Flag("resample_after_convolve", true)
                               ? DilatedConvStack::ResampleOrder::kAfterConvolve
                               : DilatedConvStack::ResampleOrder::kBeforeConvolve;
  DilatedConvStack layer(options);
  Load(call, layer);
  return {{"y", layer.Forward(x, z)}};
}

NamedTensors NormReluConvCase(Call& call) {
  const Tensor x = call.In("x");
  NormReluConv layer({Channels(x), call.Int("ch"), call.Int("k"), call.Int("s"), NormTypeOf(call, "layer")});
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors ResidualLayerCase(Call& call) {
  const Tensor x = call.In("x"), z = call.OptionalIn("z");
  call.Flag("conditional", false);
  ResidualLayer layer({Channels(x), call.Int("ch"), call.Int("stride"),
                       call.Flag("shortcut", false) ? Shortcut::kProjection : Shortcut::kIdentity,
                       NormTypeOf(call, "layer"), Channels(z), ModulationOf(call)});
  Load(call, layer);
  return {{"y", layer.Forward(x, z)}};
}

NamedTensors ResidualStackCase(Call& call) {
  const Tensor x = call.In("x");
  ResidualStack::Options options;
  options.in = Channels(x);
  options.norm_type = NormTypeOf(call, "layer");
  const auto filters = call.Raw("filters").get<std::vector<int64_t>>(),
             sizes = call.Raw("block_sizes").get<std::vector<int64_t>>();
  const auto strides = call.Raw("strides").get<std::vector<int64_t>>();
  for (size_t i = 0; i < filters.size(); ++i) options.blocks.push_back({filters[i], sizes.at(i), strides.at(i)});
  ResidualStack layer(options);
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

// The functions' files call the result "out", the models' files "y".
NamedTensors PolyphaseCase(Call& call) {
  const Remainder remainder = call.Text("trim_or_pad", "pad") == "pad" ? Remainder::kPad : Remainder::kTrim;
  const PolyphaseDirection direction = ParsePolyphaseDirection(call.Text("resample_type", "down"));
  const Tensor y = PolyphaseResample(call.In("x"), call.Int("stride", 2), direction, remainder);
  return {{"out", y}, {"y", y}};
}

NoteRegions RegionsOf(Call& call) {
  return call.Flag("note_on_only", true) ? NoteRegions::kNotesOnly : NoteRegions::kAll;
}

NamedTensors NoteMomentsCase(Call& call) {
  const NoteMoments moments = MomentsOfNotes(call.In("x"), call.In("note_mask"));
  return {{"mean", moments.mean}, {"std", moments.std}};
}

NamedTensors PoolOverNotesCase(Call& call) {
  const NoteMoments moments = PoolOverNotes(call.In("x"), call.In("note_mask"));
  return {{"mean", moments.mean}, {"std", moments.std}};
}

NamedTensors NotePoolingCase(Call& call) {
  const Tensor x = call.In("x"), mask = NoteMask(call.In("q_pitch"), call.Int("max_regions", 100), RegionsOf(call));
  const NoteMoments moments = MomentsOfNotes(x, mask), pooled = PoolOverNotes(x, mask);
  return {{"note_mask", mask},  {"note_lengths", NoteLengths(mask)}, {"mean", moments.mean},
          {"std", moments.std}, {"pooled_mean", pooled.mean},        {"pooled_std", pooled.std}};
}

}  // namespace

const AdapterEntry kLayerAdapters[] = {
    {"nn.VectorQuantization", VectorQuantizationCase},
    {"nn.Normalize", NormalizeCase},
    {"nn.normalize_op", [](Call& c) { return Out(NormalizeOp(c.In("x"), NormTypeOf(c, "layer"))); }},
    {"nn.ConditionalScaleAndShift", ScaleAndShiftCase},
    {"nn.ConditionalNorm", ConditionalNormCase},
    {"nn.Rnn", RnnCase},
    {"nn.StatelessRnn", StatelessRnnCase},
    {"nn.SingleGru", SingleGruCase},
    {"nn.RnnSandwich", SandwichCase},
    {"nn.RnnFc", RnnFcCase},
    {"nn.FcStackOut", FcStackOutCase},
    {"nn.DilatedConvStack", DilatedConvStackCase},
    {"nn.NormReluConv", NormReluConvCase},
    {"nn.ResidualLayer", ResidualLayerCase},
    {"nn.ResidualStack", ResidualStackCase},
    {"nn.polyphase_resample", PolyphaseCase},
    {"nn.get_note_mask",
     [](Call& c) { return Out(NoteMask(c.In("q_pitch"), c.Int("max_regions", 100), RegionsOf(c))); }},
    {"nn.get_note_mask_from_onset",
     [](Call& c) {
       return Out(NoteMaskFromOnset(c.In("q_pitch"), c.In("onset"), c.Int("max_regions", 100), RegionsOf(c)));
     }},
    {"nn.get_note_lengths", [](Call& c) { return Out(NoteLengths(c.In("note_mask"))); }},
    {"nn.get_note_moments", NoteMomentsCase},
    {"nn.pool_over_notes", PoolOverNotesCase},
    {"nn.get_short_note_loss_mask",
     [](Call& c) {
       return Out(ShortNoteLossMask(c.In("note_mask"), c.In("note_lengths"), c.In("note_pitches"),
                                    c.Number("min_length", 40)));
     }},
    {"nn.note_pooling", NotePoolingCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
