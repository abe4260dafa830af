#include "load-tests/soak/visit.h"

#include <chrono>
#include <thread>

#include "client/sdk/channel.h"

namespace ddsp::soak {

Visit::Visit(const Place& place, uint64_t seed)
    : place_(place), random_(static_cast<uint32_t>(seed ^ (seed >> 32)) | 1u), position_(0) {
  random_.discard(8);  // neighbouring seeds begin alike
  position_ = Between(0, static_cast<int64_t>(place.recording.size()) - 1);
}

int64_t Visit::Between(int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random_);
}

double Visit::Real(double least, double most) { return std::uniform_real_distribution<double>(least, most)(random_); }

const std::string& Visit::Voice() { return place_.voices[Between(0, static_cast<int64_t>(place_.voices.size()) - 1)]; }

std::string Visit::Bytes(int64_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(Between(0, 255));
  return bytes;
}

std::vector<float> Visit::Music(int64_t samples) {
  std::vector<float> music(samples);
  for (float& sample : music) {
    sample = place_.recording[position_];
    position_ = (position_ + 1) % place_.recording.size();
  }
  return music;
}

std::shared_ptr<grpc::Channel> Visit::Connect() const { return client::MakeChannel(place_.server); }

void Visit::Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace ddsp::soak
