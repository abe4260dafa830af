#include "core/losses/crepe_embedding_loss.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_crepe.h"

namespace ddsp {
namespace {

std::shared_ptr<const CrepeNetwork> RandomNetwork() {
  return *CrepeNetwork::Create(ToTensors(*Safetensors::Parse(testing::RandomCrepe(1).Format())));
}

at::Tensor Tone(double hz) { return at::sin(2 * M_PI * hz / 16000 * at::arange(4096, at::kFloat)).unsqueeze(0); }

TEST(CrepeEmbedding, HasARowForEachCentredFrame) {
  const auto network = RandomNetwork();
  const at::Tensor audio = at::cat({Tone(200), Tone(333)});
  const at::Tensor embedding = CrepeEmbedding(*network, audio, "conv5-maxpool");
  ASSERT_EQ(embedding.sizes(), at::IntArrayRef({2, 5, 8 * 8}));
  // Frame 2 is centred at sample 2048.
  const at::Tensor frame = CrepeNormalize(audio[1].slice(0, 1536, 2560).unsqueeze(0));
  const at::Tensor expected = network->Activations(frame, "conv5-maxpool").flatten();
  EXPECT_TRUE(at::allclose(embedding[1][2], expected, 1e-3, 1e-4));
}

TEST(CrepeEmbeddingLoss, ComparesWhatTheNetworkHears) {
  const auto network = RandomNetwork();
  const auto embed = [&](const at::Tensor& audio) { return CrepeEmbedding(*network, audio, "classifier"); };
  EXPECT_EQ(CrepeEmbeddingLoss(embed, Tone(200), Tone(200)).item<double>(), 0);
  const double loss = CrepeEmbeddingLoss(embed, Tone(200), Tone(333)).item<double>();
  EXPECT_NEAR(loss, 20 * 130 * (embed(Tone(200)) - embed(Tone(333))).abs().mean().item<double>(), 1e-3 * loss);
  EXPECT_GT(loss, 0);
  // The level of a sound is not what it hears.
  EXPECT_LT(CrepeEmbeddingLoss(embed, Tone(200), 0.5 * Tone(200)).item<double>(), 0.01 * loss);
}

// Gradients go through the frozen network to the sound, and stay numbers where it is silent.
TEST(CrepeEmbeddingLoss, HasGradientsForTheSound) {
  const auto network = RandomNetwork();
  const auto embed = [&](const at::Tensor& audio) { return CrepeEmbedding(*network, audio, "classifier"); };
  at::Tensor audio = Tone(333);
  audio.slice(1, 1500, 4096) = 0;
  audio.requires_grad_(true);
  CrepeEmbeddingLoss(embed, Tone(200), audio).backward();
  EXPECT_TRUE(at::isfinite(audio.grad()).all().item<bool>());
  EXPECT_GT(audio.grad().slice(1, 0, 1024).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace ddsp
