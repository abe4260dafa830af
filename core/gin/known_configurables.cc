// The names and constructor arguments of upstream 3.7.0: a table, since nothing else of it is Python here. Ours beside
// them: ModDelay, which upstream does not register, and the arguments that choose upstream's form of something (phase,
// gains, delay_end).
#include "absl/strings/str_split.h"
#include "core/gin/registry.h"

namespace ddsp::gin {
namespace {

// What a configurable takes beyond the arguments of the table.
enum Kind {
  kPlain,      // nothing
  kLayer,      // what any Keras layer takes
  kDictLayer,  // and the keys of its inputs and outputs
  kModules,    // modules under any name
  kKeras,      // a layer of Keras itself, whose arguments are not all listed
};

struct Row {
  const char* name;
  const char* parameters;
  Kind kind;
};

constexpr Row kRows[] = {
    {"ddsp.core.angular_cumsum", "angular_frequency chunk_size", kPlain},
    {"ddsp.core.exp_sigmoid", "x exponent max_value threshold", kPlain},
    {"ddsp.core.frequencies_critical_bands", "freqs depth depth_scale bandwidth_scale hz_min hz_max scale", kPlain},
    {"ddsp.core.frequencies_sigmoid", "freqs depth hz_min hz_max", kPlain},
    {"ddsp.core.frequencies_softmax", "freqs depth hz_min hz_max", kPlain},
    {"ddsp.core.harmonic_oscillator_bank", "frequency amplitude_envelopes initial_phase sample_rate use_angular_cumsum",
     kPlain},
    {"ddsp.core.oscillator_bank",
     "frequency_envelopes amplitude_envelopes sample_rate sum_sinusoids use_angular_cumsum", kPlain},
    {"ddsp.core.sym_exp_sigmoid", "x width", kPlain},
    {"ddsp.dags.DAGLayer", "dag", kModules},
    {"ddsp.dags.DAGLayer.run_dag", "inputs verbose", kPlain},
    {"ddsp.effects.ExpDecayReverb", "trainable reverb_length scale_fn add_dry name", kPlain},
    {"ddsp.effects.FilteredNoiseReverb",
     "trainable reverb_length window_size n_frames n_filter_banks scale_fn initial_bias add_dry name", kPlain},
    {"ddsp.effects.FIRFilter", "window_size scale_fn name", kPlain},
    {"ddsp.effects.ModDelay", "center_ms depth_ms sample_rate gain_scale_fn phase_scale_fn add_dry name delay_end",
     kPlain},
    {"ddsp.effects.Reverb", "trainable reverb_length add_dry name", kPlain},
    {"ddsp.losses.EmbeddingLoss", "weight loss_type pretrained_model name", kPlain},
    {"ddsp.losses.FilteredNoiseConsistencyLoss", "weight", kLayer},
    {"ddsp.losses.HarmonicConsistencyLoss", "amp_weight dist_weight f0_weight amp_threshold", kLayer},
    {"ddsp.losses.HmmTranscriber",
     "avg_length midi_std amps_on_center amps_on_scale amps_off_center amps_off_scale n_timesteps "
     "n_pitches weight",
     kLayer},
    {"ddsp.losses.KDEConsistencyLoss", "weight_a weight_b weight_mean_amp scale_a scale_b", kLayer},
    {"ddsp.losses.LossGroup", "dag", kModules},
    {"ddsp.losses.ParamLoss", "weight loss_type", kLayer},
    // Upstream forgot to register it.
    {"ddsp.losses.PretrainedCREPE", "model_capacity activation_layer name trainable", kPlain},
    {"ddsp.losses.PretrainedCREPEEmbeddingLoss", "weight loss_type model_capacity activation_layer name", kPlain},
    {"ddsp.losses.SpectralLoss",
     "fft_sizes loss_type mag_weight delta_time_weight delta_freq_weight cumsum_freq_weight logmag_weight "
     "loudness_weight name",
     kPlain},
    {"ddsp.losses.TWMLoss",
     "sinusoids_weight harmonics_weight sinusoids_scale harmonics_scale n_harmonic_points "
     "n_harmonic_gaussians softmin_temperature sample_rate",
     kLayer},
    {"ddsp.losses.WassersteinConsistencyLoss", "weight midi", kLayer},
    {"ddsp.processors.Add", "name", kPlain},
    {"ddsp.processors.Crop", "frame_size crop_location name", kPlain},
    {"ddsp.processors.Mix", "name gains", kPlain},
    {"ddsp.processors.ProcessorGroup", "dag", kModules},
    {"ddsp.spectral_ops.compute_f0", "audio frame_rate viterbi padding", kPlain},
    {"ddsp.spectral_ops.compute_logmag", "audio size overlap pad_end", kPlain},
    {"ddsp.spectral_ops.compute_logmel", "audio lo_hz hi_hz bins fft_size overlap pad_end sample_rate", kPlain},
    {"ddsp.spectral_ops.compute_loudness", "audio sample_rate frame_rate n_fft range_db ref_db use_tf padding", kPlain},
    {"ddsp.spectral_ops.compute_mag", "audio size overlap pad_end", kPlain},
    {"ddsp.spectral_ops.compute_mel", "audio lo_hz hi_hz bins fft_size overlap pad_end sample_rate", kPlain},
    {"ddsp.spectral_ops.compute_mfcc", "audio lo_hz hi_hz fft_size mel_bins mfcc_bins overlap pad_end sample_rate",
     kPlain},
    {"ddsp.synths.FilteredNoise", "n_samples window_size scale_fn initial_bias name", kPlain},
    {"ddsp.synths.Harmonic",
     "n_samples sample_rate scale_fn normalize_below_nyquist amp_resample_method use_angular_cumsum name phase",
     kPlain},
    {"ddsp.synths.Sinusoidal", "n_samples sample_rate amp_scale_fn amp_resample_method freq_scale_fn name phase",
     kPlain},
    {"ddsp.synths.TensorToAudio", "name", kPlain},
    {"ddsp.synths.Wavetable", "n_samples sample_rate scale_fn name", kPlain},
    {"ddsp.training.data.BaseMultiProvider", "data_providers batch_size_ratios", kPlain},
    {"ddsp.training.data.ExperimentalDataProvider", "data_dir sample_rate frame_rate", kPlain},
    {"ddsp.training.data.LegacyTFRecordProvider", "file_pattern example_secs sample_rate frame_rate centered", kPlain},
    {"ddsp.training.data.MixedProvider", "data_providers batch_size_ratios", kPlain},
    {"ddsp.training.data.NSynthTfds", "name split data_dir sample_rate frame_rate include_note_labels", kPlain},
    {"ddsp.training.data.SyntheticNotes", "n_timesteps n_harmonics n_mags file_pattern sample_rate", kPlain},
    {"ddsp.training.data.TFRecordProvider", "file_pattern example_secs sample_rate frame_rate centered", kPlain},
    {"ddsp.training.data.Urmp", "base_dir instrument_key split suffix", kPlain},
    {"ddsp.training.data.UrmpMidi", "base_dir instrument_key split suffix", kPlain},
    {"ddsp.training.data.ZippedProvider", "data_providers batch_size_ratios", kPlain},
    {"ddsp.training.data_preparation.ddsp_generate_synthetic_dataset.generate_examples", "seed generate_fn", kPlain},
    {"ddsp.training.data_preparation.synthetic_data.generate_notes",
     "n_batch n_timesteps n_harmonics n_mags get_controls", kPlain},
    {"ddsp.training.data_preparation.synthetic_data.generate_notes_v2",
     "n_batch n_timesteps n_harmonics n_mags min_note_length max_note_length p_silent p_vibrato "
     "get_controls",
     kPlain},
    {"ddsp.training.decoders.DilatedConvDecoder",
     "ch kernel_size layers_per_stack stacks dilation norm_type resample_stride stacks_per_resample "
     "resample_after_convolve input_keys output_splits conditioning_keys precondition_stack spectral_norm "
     "ortho_init",
     kDictLayer},
    {"ddsp.training.decoders.MidiDecoder", "net f0_residual center_loudness norm", kDictLayer},
    {"ddsp.training.decoders.MidiToHarmonicDecoder", "net f0_residual norm output_splits midi_zero_silence",
     kDictLayer},
    {"ddsp.training.decoders.RnnFcDecoder",
     "rnn_channels rnn_type ch layers_per_stack stateless input_keys output_splits", kDictLayer},
    {"ddsp.training.encoders.AggregateFeaturesEncoder", "ch", kDictLayer},
    {"ddsp.training.encoders.ExpressionEncoder", "net z_dims input_keys mfcc_bins fft_size mel_bins pool_time",
     kDictLayer},
    {"ddsp.training.encoders.HarmonicToMidiEncoder", "net f0_residual", kDictLayer},
    {"ddsp.training.encoders.MfccEncoder", "fft_sizes mel_bins mfcc_bins time_steps", kDictLayer},
    {"ddsp.training.encoders.MfccRnnEncoder", "rnn_channels rnn_type z_dims mean_aggregate", kDictLayer},
    {"ddsp.training.encoders.MfccTimeDistributedRnnEncoder", "rnn_channels rnn_type z_dims z_time_steps", kDictLayer},
    {"ddsp.training.encoders.MidiEncoder", "net f0_residual", kDictLayer},
    {"ddsp.training.encoders.OneHotEncoder", "one_hot_key vocab_size n_dims skip_expand", kDictLayer},
    {"ddsp.training.encoders.ResnetSinusoidalEncoder", "output_splits spectral_fn size", kDictLayer},
    {"ddsp.training.encoders.SinusoidalToHarmonicEncoder",
     "net n_harmonics f0_depth amp_scale_fn freq_scale_fn sample_rate", kDictLayer},
    {"ddsp.training.eval_util.evaluate",
     "data_provider model evaluator_classes save_dir restore_dir batch_size num_batches repeats "
     "ckpt_delay_secs run_once run_until_step evaluate_and_sample",
     kPlain},
    {"ddsp.training.eval_util.sample",
     "data_provider model evaluator_classes save_dir restore_dir batch_size num_batches ckpt_delay_secs "
     "run_once run_until_step evaluate_and_sample",
     kPlain},
    {"ddsp.training.evaluators.BasicEvaluator", "sample_rate frame_rate", kPlain},
    {"ddsp.training.evaluators.F0LdEvaluator", "sample_rate frame_rate run_f0_crepe", kPlain},
    {"ddsp.training.evaluators.MidiAutoencoderEvaluator", "sample_rate frame_rate db_key f0_key", kPlain},
    {"ddsp.training.evaluators.MidiHeuristicEvaluator", "sample_rate frame_rate", kPlain},
    {"ddsp.training.evaluators.TWMEvaluator", "sample_rate frame_rate processor_name noisy", kPlain},
    {"ddsp.training.heuristics.amp_pooled_outliers", "controls frame_width num_devs pad_mode", kPlain},
    {"ddsp.training.heuristics.mean_f0", "controls start stop", kPlain},
    {"ddsp.training.heuristics.median_amps", "controls start stop", kPlain},
    {"ddsp.training.heuristics.median_f0", "controls start stop", kPlain},
    {"ddsp.training.heuristics.midi_heuristic", "controls", kPlain},
    {"ddsp.training.heuristics.midi_heuristic_power", "controls", kPlain},
    {"ddsp.training.heuristics.power_pooled_outliers", "controls frame_width num_devs pad_mode", kPlain},
    {"ddsp.training.heuristics.segment_notes_batch", "binarize_f pick_f0_f pick_amps_f controls_batch frame_rate",
     kPlain},
    {"ddsp.training.heuristics.strided_freq_change", "controls frame_widths pad_mode", kPlain},
    {"ddsp.training.inference.AutoencoderInference", "ckpt length_seconds remove_reverb verbose", kPlain},
    {"ddsp.training.inference.VSTSynthesize", "ckpt new_hop_size", kPlain},
    {"ddsp.training.inference.VSTSynthesizeHarmonic", "ckpt new_hop_size", kPlain},
    {"ddsp.training.inference.VSTSynthesizeNoise", "ckpt new_hop_size", kPlain},
    {"ddsp.training.models.Autoencoder", "preprocessor encoder decoder processor_group losses", kLayer},
    {"ddsp.training.models.get_model", "model", kPlain},
    {"ddsp.training.models.InverseSynthesis",
     "sinusoidal_encoder harmonic_encoder losses sinusoidal_consistency_losses harmonic_consistency_losses "
     "filtered_noise_consistency_loss twm_loss harmonic_distribution_prior freq_scale_fn reverb n_samples "
     "sample_rate stop_gradient",
     kLayer},
    {"ddsp.training.models.MidiAutoencoder",
     "synthcoder midi_encoder midi_decoder sg_before_midiae reverb preprocessor reconstruction_losses "
     "qpitch_f0rec_loss pitch_f0rec_loss pitch_qpitch_loss midi_slowness_loss mask_f0_loss",
     kLayer},
    {"ddsp.training.models.ZMidiAutoencoder",
     "synthcoder midi_encoder midi_decoder sg_before_midiae reverb preprocessor reconstruction_losses "
     "qpitch_f0rec_loss pitch_f0rec_loss pitch_qpitch_loss midi_slowness_loss mask_f0_loss "
     "z_synth_encoders z_global_encoders z_note_encoder z_preconditioning_stack z_global_prior "
     "z_note_prior",
     kLayer},
    {"ddsp.training.nn.ConditionalNorm", "norm_type shift_only", kLayer},
    {"ddsp.training.nn.Dense", "units activation use_bias kernel_initializer bias_initializer", kKeras},
    {"ddsp.training.nn.DilatedConvStack",
     "ch layers_per_stack stacks kernel_size dilation norm_type resample_type resample_stride "
     "stacks_per_resample resample_after_convolve spectral_norm ortho_init shift_only conditional",
     kLayer},
    {"ddsp.training.nn.Fc", "ch nonlinearity", kLayer},
    {"ddsp.training.nn.FcStack", "ch layers nonlinearity", kLayer},
    {"ddsp.training.nn.FcStackOut", "ch layers n_out", kLayer},
    {"ddsp.training.nn.Identity", "", kLayer},
    {"ddsp.training.nn.Normalize", "norm_type", kLayer},
    {"ddsp.training.nn.NormReluConv", "ch k s norm_type", kLayer},
    {"ddsp.training.nn.PolyphaseResample", "stride resample_type trim_or_pad", kLayer},
    {"ddsp.training.nn.ResidualLayer", "ch stride shortcut norm_type conditional shift_only", kLayer},
    {"ddsp.training.nn.ResidualStack", "filters block_sizes strides norm_type conditional shift_only nonlinearity",
     kLayer},
    {"ddsp.training.nn.ResNet", "size norm_type conditional shift_only", kLayer},
    {"ddsp.training.nn.Rnn", "dims rnn_type return_sequences bidir", kLayer},
    {"ddsp.training.nn.RnnFc", "rnn_feat out_feat rnn_type nonlinearity bidir n_rnn", kLayer},
    {"ddsp.training.nn.RnnSandwich", "fc_stack_ch fc_stack_layers rnn_ch rnn_type", kLayer},
    {"ddsp.training.nn.SingleGru", "gru_dim", kLayer},
    {"ddsp.training.nn.split_to_dict", "tensor tensor_splits", kPlain},
    {"ddsp.training.nn.StatelessRnn", "dims rnn_type", kLayer},
    {"ddsp.training.nn.VectorQuantization", "k gamma restart_threshold num_heads commitment_loss_weight", kLayer},
    {"ddsp.training.preprocessing.F0LoudnessPreprocessor", "time_steps frame_rate sample_rate compute_loudness",
     kDictLayer},
    {"ddsp.training.preprocessing.F0PowerPreprocessor", "time_steps frame_rate sample_rate frame_size", kDictLayer},
    {"ddsp.training.preprocessing.OnlineF0PowerPreprocessor",
     "frame_rate frame_size padding compute_power compute_f0 crepe_saved_model_path viterbi", kDictLayer},
    {"ddsp.training.train_util.train",
     "data_provider trainer batch_size num_steps steps_per_summary steps_per_save save_dir restore_dir "
     "early_stop_loss_value report_loss_to_hypertune",
     kPlain},
    {"ddsp.training.trainers.get_trainer_class", "trainer_class", kPlain},
    {"ddsp.training.trainers.Trainer",
     "model strategy checkpoints_to_keep learning_rate lr_decay_steps lr_decay_rate grad_clip_norm "
     "restore_keys",
     kPlain},
    {"gin.macro", "value", kPlain},
    {"gin.singleton", "constructor", kPlain},
    {"tf.keras.layers.Activation", "activation", kKeras},
    {"tf.keras.layers.ActivityRegularization", "l1 l2", kKeras},
    {"tf.keras.layers.Add", "", kKeras},
    {"tf.keras.layers.AdditiveAttention", "", kKeras},
    {"tf.keras.layers.AlphaDropout", "rate noise_shape seed", kKeras},
    {"tf.keras.layers.Attention", "", kKeras},
    {"tf.keras.layers.Average", "", kKeras},
    {"tf.keras.layers.AveragePooling1D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.AveragePooling2D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.AveragePooling3D", "", kKeras},
    {"tf.keras.layers.AvgPool1D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.AvgPool2D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.BatchNormalization", "axis momentum epsilon center scale", kKeras},
    {"tf.keras.layers.Bidirectional", "layer merge_mode", kKeras},
    {"tf.keras.layers.CategoryEncoding", "", kKeras},
    {"tf.keras.layers.CenterCrop", "", kKeras},
    {"tf.keras.layers.Concatenate", "axis", kKeras},
    {"tf.keras.layers.Conv1D",
     "filters kernel_size strides padding data_format dilation_rate groups activation use_bias kernel_initializer "
     "bias_initializer",
     kKeras},
    {"tf.keras.layers.Conv1DTranspose",
     "filters kernel_size strides padding output_padding data_format dilation_rate activation use_bias "
     "kernel_initializer bias_initializer",
     kKeras},
    {"tf.keras.layers.Conv2D",
     "filters kernel_size strides padding data_format dilation_rate groups activation use_bias kernel_initializer "
     "bias_initializer",
     kKeras},
    {"tf.keras.layers.Conv2DTranspose",
     "filters kernel_size strides padding output_padding data_format dilation_rate activation use_bias "
     "kernel_initializer bias_initializer",
     kKeras},
    {"tf.keras.layers.Conv3D", "", kKeras},
    {"tf.keras.layers.Conv3DTranspose", "", kKeras},
    {"tf.keras.layers.ConvLSTM1D", "", kKeras},
    {"tf.keras.layers.ConvLSTM2D", "", kKeras},
    {"tf.keras.layers.ConvLSTM3D", "", kKeras},
    {"tf.keras.layers.Convolution1D",
     "filters kernel_size strides padding data_format dilation_rate groups activation use_bias kernel_initializer "
     "bias_initializer",
     kKeras},
    {"tf.keras.layers.Convolution2D",
     "filters kernel_size strides padding data_format dilation_rate groups activation use_bias kernel_initializer "
     "bias_initializer",
     kKeras},
    {"tf.keras.layers.Cropping1D", "cropping", kKeras},
    {"tf.keras.layers.Cropping2D", "", kKeras},
    {"tf.keras.layers.Cropping3D", "", kKeras},
    {"tf.keras.layers.Dense", "units activation use_bias kernel_initializer bias_initializer", kKeras},
    {"tf.keras.layers.DepthwiseConv1D", "", kKeras},
    {"tf.keras.layers.DepthwiseConv2D", "", kKeras},
    {"tf.keras.layers.Discretization", "", kKeras},
    {"tf.keras.layers.Dot", "", kKeras},
    {"tf.keras.layers.Dropout", "rate noise_shape seed", kKeras},
    {"tf.keras.layers.ELU", "alpha", kKeras},
    {"tf.keras.layers.Embedding", "input_dim output_dim", kKeras},
    {"tf.keras.layers.Flatten", "data_format", kKeras},
    {"tf.keras.layers.GRU",
     "units activation recurrent_activation use_bias return_sequences return_state go_backwards reset_after", kKeras},
    {"tf.keras.layers.GRUCell", "", kKeras},
    {"tf.keras.layers.GaussianDropout", "rate seed", kKeras},
    {"tf.keras.layers.GaussianNoise", "stddev seed", kKeras},
    {"tf.keras.layers.GlobalAveragePooling1D", "data_format keepdims", kKeras},
    {"tf.keras.layers.GlobalAveragePooling2D", "", kKeras},
    {"tf.keras.layers.GlobalAveragePooling3D", "", kKeras},
    {"tf.keras.layers.GlobalMaxPooling1D", "data_format keepdims", kKeras},
    {"tf.keras.layers.GlobalMaxPooling2D", "", kKeras},
    {"tf.keras.layers.GlobalMaxPooling3D", "", kKeras},
    {"tf.keras.layers.HashedCrossing", "", kKeras},
    {"tf.keras.layers.Hashing", "", kKeras},
    {"tf.keras.layers.InputLayer", "", kKeras},
    {"tf.keras.layers.IntegerLookup", "", kKeras},
    {"tf.keras.layers.LSTM",
     "units activation recurrent_activation use_bias return_sequences return_state go_backwards unit_forget_bias",
     kKeras},
    {"tf.keras.layers.LSTMCell", "", kKeras},
    {"tf.keras.layers.Lambda", "", kKeras},
    {"tf.keras.layers.Layer", "", kKeras},
    {"tf.keras.layers.LayerNormalization", "axis epsilon center scale", kKeras},
    {"tf.keras.layers.LeakyReLU", "alpha", kKeras},
    {"tf.keras.layers.LocallyConnected1D", "", kKeras},
    {"tf.keras.layers.LocallyConnected2D", "", kKeras},
    {"tf.keras.layers.Masking", "", kKeras},
    {"tf.keras.layers.MaxPool1D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.MaxPool2D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.MaxPooling1D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.MaxPooling2D", "pool_size strides padding data_format", kKeras},
    {"tf.keras.layers.MaxPooling3D", "", kKeras},
    {"tf.keras.layers.Maximum", "", kKeras},
    {"tf.keras.layers.Minimum", "", kKeras},
    {"tf.keras.layers.MultiHeadAttention", "", kKeras},
    {"tf.keras.layers.Multiply", "", kKeras},
    {"tf.keras.layers.Normalization", "", kKeras},
    {"tf.keras.layers.PReLU", "", kKeras},
    {"tf.keras.layers.Permute", "dims", kKeras},
    {"tf.keras.layers.RNN", "", kKeras},
    {"tf.keras.layers.RandomContrast", "", kKeras},
    {"tf.keras.layers.RandomCrop", "", kKeras},
    {"tf.keras.layers.RandomFlip", "", kKeras},
    {"tf.keras.layers.RandomRotation", "", kKeras},
    {"tf.keras.layers.RandomTranslation", "", kKeras},
    {"tf.keras.layers.RandomZoom", "", kKeras},
    {"tf.keras.layers.ReLU", "max_value negative_slope threshold", kKeras},
    {"tf.keras.layers.RepeatVector", "n", kKeras},
    {"tf.keras.layers.Rescaling", "", kKeras},
    {"tf.keras.layers.Reshape", "target_shape", kKeras},
    {"tf.keras.layers.Resizing", "", kKeras},
    {"tf.keras.layers.SeparableConv1D", "", kKeras},
    {"tf.keras.layers.SeparableConv2D", "", kKeras},
    {"tf.keras.layers.SeparableConvolution1D", "", kKeras},
    {"tf.keras.layers.SeparableConvolution2D", "", kKeras},
    {"tf.keras.layers.SimpleRNN", "", kKeras},
    {"tf.keras.layers.SimpleRNNCell", "", kKeras},
    {"tf.keras.layers.Softmax", "axis", kKeras},
    {"tf.keras.layers.SpatialDropout1D", "rate", kKeras},
    {"tf.keras.layers.SpatialDropout2D", "", kKeras},
    {"tf.keras.layers.SpatialDropout3D", "", kKeras},
    {"tf.keras.layers.StackedRNNCells", "", kKeras},
    {"tf.keras.layers.StringLookup", "", kKeras},
    {"tf.keras.layers.Subtract", "", kKeras},
    {"tf.keras.layers.TextVectorization", "", kKeras},
    {"tf.keras.layers.ThresholdedReLU", "theta", kKeras},
    {"tf.keras.layers.TimeDistributed", "layer", kKeras},
    {"tf.keras.layers.UnitNormalization", "", kKeras},
    {"tf.keras.layers.UpSampling1D", "size", kKeras},
    {"tf.keras.layers.UpSampling2D", "", kKeras},
    {"tf.keras.layers.UpSampling3D", "", kKeras},
    {"tf.keras.layers.Wrapper", "", kKeras},
    {"tf.keras.layers.ZeroPadding1D", "padding", kKeras},
    {"tf.keras.layers.ZeroPadding2D", "", kKeras},
    {"tf.keras.layers.ZeroPadding3D", "", kKeras},
    {"tf.keras.Sequential", "layers", kKeras},
};

Configurable FromRow(const Row& row) {
  Configurable configurable{row.name, absl::StrSplit(row.parameters, ' ', absl::SkipEmpty())};
  auto& parameters = configurable.parameters;
  if (row.kind == kLayer || row.kind == kDictLayer) {
    parameters.insert(parameters.end(), {"name", "trainable", "dtype"});
  }
  if (row.kind == kDictLayer) parameters.insert(parameters.end(), {"input_keys", "output_keys"});
  if (row.kind == kModules || row.kind == kKeras) configurable.extra = Extra::kAccepted;
  return configurable;
}

}  // namespace

const Registry& DdspConfigurables() {
  static const Registry* const registry = [] {
    std::vector<Configurable> configurables;
    for (const Row& row : kRows) configurables.push_back(FromRow(row));
    return new Registry(std::move(configurables));
  }();
  return *registry;
}

}  // namespace ddsp::gin
