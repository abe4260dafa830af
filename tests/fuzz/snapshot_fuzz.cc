// No state of a session may crash the server that goes on from it, sealed or not. The first byte: r bytes that nobody
// sealed, s a v1::SessionState that a replica did.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/streaming/batch_voice_engine.h"
#include "server/session/input_reader.h"
#include "server/session/session_stream.h"
#include "server/session/snapshot_seal.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

const SnapshotSeal& Seal() {
  static const auto* const seal = new SnapshotSeal({}, Clock::Steady());
  return *seal;
}

std::unique_ptr<BatchVoiceEngine> MakeEngine() {
  ddsp::testing::TestVoiceOptions options;
  options.rnn_channels = 4;
  options.channels = 4;
  options.harmonics = 3;
  options.noise_bands = 5;
  options.reverb_length = 100;
  return *BatchVoiceEngine::Create(std::make_shared<Voice>(ddsp::testing::MakeTestVoice(options)), 1);
}

// One session on an engine of its own, without threads.
class Bench {
 public:
  static absl::StatusOr<std::unique_ptr<Bench>> Create(const v1::SessionConfig& config) {
    ASSIGN_OR_RETURN(const SessionPlan plan, PlanSession(config, {}));
    static BatchVoiceEngine& engine = *MakeEngine().release();
    ASSIGN_OR_RETURN(std::unique_ptr<SessionStream> stream, SessionStream::Create(plan, engine.format(plan.input)));
    return std::unique_ptr<Bench>(new Bench(plan, engine, std::move(stream)));
  }

  absl::Status Begin() { return engine_.Reset(0, plan_.settings); }
  absl::Status Resume(const v1::SessionState& state) {
    RETURN_IF_ERROR(stream_->Restore(state));
    const std::vector<std::string> packets(state.packets().begin(), state.packets().end());
    RETURN_IF_ERROR(reader_.Resume(stream_->input_mark(), packets, stream_->pending_changes()));
    if (stream_->input_used() + stream_->backlog() < 0) std::abort();
    return engine_.Restore(0, plan_.settings, state.engine());
  }

  // As far as the server would take them.
  void Feed(const v1::AudioBlock& block) {
    const auto audio = reader_.ReadAudio(block, [](int64_t) { return absl::OkStatus(); });
    if (audio.ok()) Push(*audio);
  }
  void Feed(const v1::ControlBlock& block) {
    const auto control = reader_.ReadControl(block, [](int64_t) { return absl::OkStatus(); });
    if (control.ok()) Push(*control);
  }
  // The input ends where it has not; a few hops of what is left.
  void End(int hops) {
    if (!stream_->finished()) stream_->Push({EndIn{}, absl::UnixEpoch()});
    Step(hops);
  }

  v1::SessionState Save() {
    v1::SessionState state;
    stream_->Save(&state);
    const auto engine = engine_.Save(0);
    DDSP_CHECK(engine.ok(), "a resumable stream can be saved");
    state.set_engine(*engine);
    return state;
  }
  // What a client would send next.
  v1::AudioBlock NextBlock(std::string data) const {
    v1::AudioBlock block;
    block.set_seq(stream_->input_mark().gate.next_audio);
    block.set_start_sample(static_cast<uint64_t>(stream_->input_mark().gate.samples));
    block.set_data(std::move(data));
    return block;
  }
  v1::ControlBlock NextControl() const {
    v1::ControlBlock block;
    block.set_seq(stream_->input_mark().gate.next_control);
    block.set_start_sample(static_cast<uint64_t>(stream_->input_mark().gate.samples));
    block.set_frame_samples(200);
    for (int i = 0; i < 8; ++i) block.add_frames()->set_f0_hz(440);
    block.mutable_parameters()->set_pitch_shift_semitones(3);
    return block;
  }
  const SessionPlan& plan() const { return plan_; }
  bool quiet() const { return stream_->Quiet(); }
  bool finished() const { return stream_->finished(); }

 private:
  Bench(const SessionPlan& plan, BatchVoiceEngine& engine, std::unique_ptr<SessionStream> stream)
      : plan_(plan), engine_(engine), stream_(std::move(stream)), reader_(plan_, {}) {}

  void Push(InputEvent event) {
    stream_->Push({std::move(event), absl::UnixEpoch()});
    Step(8);
  }

  // A state may be far ahead of its input; nobody waits for that here.
  void Step(int hops) {
    stream_->Absorb();
    for (int hop = 0; hop < hops && stream_->HopReady(); ++hop) {
      engine_.Step({stream_->NextHop()}, *workspace_);
      stream_->CompleteHop();
      stream_->Absorb();
      std::vector<OutputItem> out;
      stream_->Emit(&out);
    }
  }

  const SessionPlan plan_;
  BatchVoiceEngine& engine_;
  const std::unique_ptr<StepWorkspace> workspace_ = engine_.MakeWorkspace();
  const std::unique_ptr<SessionStream> stream_;
  InputReader reader_;
};

std::string PacketFor(const SessionPlan& plan) {
  const std::vector<float> samples(160, 0.1f);
  return MakeEncoder(plan.input_format, 0)->Encode(samples);
}

void GoOn(Bench& bench) {
  if (bench.finished()) return bench.End(2);
  if (bench.plan().input == StreamInput::kControls) {
    bench.Feed(bench.NextControl());
  } else {
    for (int i = 0; i < 3; ++i) bench.Feed(bench.NextBlock(PacketFor(bench.plan())));
  }
}

// States of sessions that are well: of every codec, and of controls, before and after the end of their input.
std::vector<std::string> GoodStates() {
  std::vector<std::string> states;
  for (const v1::AudioEncoding encoding : {v1::PCM_S16LE, v1::PCM_F32LE, v1::OPUS, v1::AUDIO_ENCODING_UNSPECIFIED}) {
    v1::SessionConfig config;
    config.set_model("violin");
    config.mutable_input_format()->set_encoding(encoding);
    config.mutable_input_format()->set_sample_rate_hz(8000);
    if (encoding == v1::AUDIO_ENCODING_UNSPECIFIED) {
      config.set_input(v1::SESSION_INPUT_CONTROLS);
      config.mutable_output_format()->set_encoding(v1::PCM_S16LE);
    }
    config.mutable_snapshot_interval()->set_seconds(1);
    const auto bench = Bench::Create(config);
    DDSP_CHECK(bench.ok() && (*bench)->Begin().ok(), "the session is good");
    const auto save = [&] {
      v1::SessionState state = (*bench)->Save();
      *state.mutable_config() = config;
      DDSP_CHECK((*Bench::Create(config))->Resume(state).ok(), "a good state is gone on with");
      states.push_back("s" + state.SerializeAsString());
    };
    for (int i = 0; i < 3; ++i) GoOn(**bench);
    save();
    (*bench)->End(1);
    if ((*bench)->quiet()) save();
  }
  return states;
}

void Open(std::string_view bytes) {
  v1::SessionState state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto opened = Seal().Open(Seal().Seal(state));
  if (!opened.ok()) std::abort();
  const auto bench = Bench::Create(opened->config());
  if (!bench.ok() || !(*bench)->plan().settings.resumable || !(*bench)->Resume(*opened).ok()) return;
  GoOn(**bench);
  if ((*bench)->quiet()) {
    v1::SessionState next = (*bench)->Save();
    (void)Seal().Seal(next);
  }
  (*bench)->End(8);
}

}  // namespace
}  // namespace ddsp::server

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Changes a state field by field; now and then begins with a good one.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  static const auto& good = *new std::vector<std::string>(ddsp::server::GoodStates());
  std::minstd_rand random(seed);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (random() % 8 == 0) bytes = good[random() % good.size()];
  ddsp::v1::SessionState state;
  if (bytes.empty() || bytes[0] != 's' || random() % 8 == 0 || !state.ParseFromString(bytes.substr(1)))
    return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned i = 1 + random() % 3; i > 0; --i) ddsp::fuzz::Mutate(&state, random);
  bytes = "s" + state.SerializeAsString();
  if (bytes.size() > max_size) return size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 's') ddsp::server::Open(bytes);
  // What was not sealed is not opened.
  if (data[0] == 'r' && ddsp::server::Seal().Open({bytes.data(), bytes.size()}).ok()) std::abort();
  return 0;
}
