#include "core/models/trainable/z_encoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/models/trainable/net.h"
#include "core/nn/encoders.h"

namespace ddsp {
namespace {

using at::Tensor;

RnnType ReadRnnType(GinArguments& args) { return args.Accept("rnn_type", ParseRnnType(args.Text("rnn_type", "gru"))); }

// An encoder of the audio alone.
template <typename Encoder>
class AudioEncoder : public ZEncoder {
 public:
  explicit AudioEncoder(const typename Encoder::Options& options) : channels_(options.z_dims), encoder_(options) {}
  absl::StatusOr<Tensor> Encode(const NamedTensors& features, int64_t time_steps) const override {
    ASSIGN_OR_RETURN(const Tensor audio, Lookup(features, "audio"));
    return CatchTorch([&] { return encoder_.Forward(audio, time_steps); });
  }
  int64_t channels() const override { return channels_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    encoder_.VisitParameters(prefix, visit);
  }

 private:
  const int64_t channels_;
  Encoder encoder_;
};

class AggregateEncoder : public ZEncoder {
 public:
  explicit AggregateEncoder(int64_t ch) : channels_(ch), encoder_(ch) {}
  absl::StatusOr<Tensor> Encode(const NamedTensors& features, int64_t) const override {
    ASSIGN_OR_RETURN(const Tensor f0_scaled, Lookup(features, "f0_scaled"));
    ASSIGN_OR_RETURN(const Tensor ld_scaled, Lookup(features, "ld_scaled"));
    return CatchTorch([&] { return encoder_.Forward(f0_scaled, ld_scaled); });
  }
  int64_t channels() const override { return channels_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    encoder_.VisitParameters(prefix, visit);
  }

 private:
  const int64_t channels_;
  AggregateFeaturesEncoder encoder_;
};

class CategoryEncoder : public ZEncoder {
 public:
  CategoryEncoder(std::string key, int64_t vocab_size, int64_t n_dims)
      : key_(std::move(key)), vocab_size_(vocab_size), channels_(n_dims), encoder_(vocab_size, n_dims) {}
  // A category is one number for the whole example, [batch] or [batch, 1], or one for each step.
  absl::StatusOr<Tensor> Encode(const NamedTensors& features, int64_t time_steps) const override {
    ASSIGN_OR_RETURN(const Tensor given, Lookup(features, key_));
    return CatchTorch([&] {
      const Tensor indices = given.dim() == 1 ? given.unsqueeze(1) : given;
      DDSP_CHECK_ARGUMENT(indices.dim() == 2, key_, " has shape ", given.sizes(), ", expected [batch(, time)]");
      DDSP_CHECK_ARGUMENT((indices >= 0).all().item<bool>() && (indices < vocab_size_).all().item<bool>(), key_,
                          " has a value that is none of the ", vocab_size_, " categories");
      const Tensor z = encoder_.Forward(indices);
      return z.size(1) == 1 ? z.expand({z.size(0), time_steps, channels_}) : ExpandZ(z, time_steps);
    });
  }
  int64_t channels() const override { return channels_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    encoder_.VisitParameters(prefix, visit);
  }

 private:
  const std::string key_;
  const int64_t vocab_size_, channels_;
  OneHotEncoder encoder_;
};

// A net over features, normalised and projected; averaged over time or not. Upstream: ExpressionEncoder, without its
// path from audio, which fails there.
class ExpressionEncoder : public ZEncoder {
 public:
  ExpressionEncoder(std::vector<std::string> keys, std::unique_ptr<Net> net, int64_t z_dims, bool pools_time)
      : keys_(std::move(keys)),
        pools_time_(pools_time),
        channels_(z_dims),
        net_(std::move(net)),
        norm_(net_->out_channels(), NormType::kLayer),
        dense_out_(net_->out_channels(), z_dims) {}

  absl::StatusOr<Tensor> Encode(const NamedTensors& features, int64_t time_steps) const override {
    std::vector<Tensor> inputs;
    for (const std::string& key : keys_) {
      ASSIGN_OR_RETURN(const Tensor input, Lookup(features, key));
      inputs.push_back(input);
    }
    return CatchTorch([&] {
      Tensor z = dense_out_.Forward(norm_.Forward(net_->Forward(at::cat(inputs, -1), {})));
      if (pools_time_) z = z.mean(1, /*keepdim=*/true).expand({z.size(0), time_steps, channels_});
      return ExpandZ(z, time_steps);
    });
  }
  int64_t channels() const override { return channels_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    net_->VisitParameters(prefix + "net/", visit);
    norm_.VisitParameters(prefix + "norm/", visit);
    dense_out_.VisitParameters(prefix + "dense_out/", visit);
  }

 private:
  const std::vector<std::string> keys_;
  const bool pools_time_;
  const int64_t channels_;
  std::unique_ptr<Net> net_;
  Normalize norm_;
  Dense dense_out_;
};

std::unique_ptr<ZEncoder> TimeDistributed(GinArguments& args, const FeatureChannels&) {
  const MfccTimeDistributedRnnEncoder::Options options = {args.Int("rnn_channels", 512, 1), ReadRnnType(args),
                                                          args.Int("z_dims", 32, 1), args.Int("z_time_steps", 250, 1)};
  auto encoder = CatchTorch([&]() -> std::unique_ptr<ZEncoder> {
    return std::make_unique<AudioEncoder<MfccTimeDistributedRnnEncoder>>(options);
  });
  return args.Accept("z_time_steps", std::move(encoder));
}

std::unique_ptr<ZEncoder> MfccRnn(GinArguments& args, const FeatureChannels&) {
  args.ExpectFlag("mean_aggregate", true, false);
  const MfccRnnEncoder::Options options = {args.Int("rnn_channels", 512, 1), ReadRnnType(args),
                                           args.Int("z_dims", 512, 1)};
  return std::make_unique<AudioEncoder<MfccRnnEncoder>>(options);
}

std::unique_ptr<ZEncoder> Aggregate(GinArguments& args, const FeatureChannels&) {
  return std::make_unique<AggregateEncoder>(args.Int("ch", 512, 1));
}

std::unique_ptr<ZEncoder> OneHot(GinArguments& args, const FeatureChannels&) {
  args.Flag("skip_expand", true);  // to one step or to all: the same sums
  return std::make_unique<CategoryEncoder>(args.Text("one_hot_key", "instrument"), args.Int("vocab_size", 1024, 1),
                                           args.Int("n_dims", 256, 1));
}

std::unique_ptr<ZEncoder> Expression(GinArguments& args, const FeatureChannels& channels) {
  const std::vector<std::string> keys = args.Texts("input_keys", {"f0_scaled", "ld_scaled"});
  int64_t in = 0;
  for (const std::string& key : keys) {
    if (key == "audio") args.Reject("input_keys", "has 'audio', of which upstream makes nothing; expected features");
    const auto it = channels.find(key);
    in += it == channels.end() ? 1 : it->second;
  }
  args.Ignore({"mfcc_bins", "fft_size", "mel_bins"});  // of audio alone
  const int64_t z_dims = args.Int("z_dims", 128, 1);
  const bool pools_time = args.Flag("pool_time", true);
  std::unique_ptr<Net> net = NetFromGin(args, "net", {in, 0});
  if (net == nullptr) return nullptr;
  return std::make_unique<ExpressionEncoder>(keys, std::move(net), z_dims, pools_time);
}

struct Entry {
  const char* class_name;
  std::unique_ptr<ZEncoder> (*make)(GinArguments& args, const FeatureChannels& channels);
};

constexpr Entry kEntries[] = {
    {"encoders.MfccTimeDistributedRnnEncoder", TimeDistributed},
    {"encoders.MfccRnnEncoder", MfccRnn},
    {"encoders.AggregateFeaturesEncoder", Aggregate},
    {"encoders.OneHotEncoder", OneHot},
    {"encoders.ExpressionEncoder", Expression},
};

}  // namespace

std::unique_ptr<ZEncoder> ZEncoderFromGin(GinArguments& args, const FeatureChannels& channels) {
  for (const Entry& entry : kEntries) {
    if (args.class_name() != entry.class_name) continue;
    std::unique_ptr<ZEncoder> encoder = entry.make(args, channels);
    args.Ignore({"input_keys", "output_keys"});
    args.Finish();
    return encoder;
  }
  if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no encoder of a latent here"));
  return nullptr;
}

}  // namespace ddsp
