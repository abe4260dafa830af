// What a client of the soak has in hand: where the server is, its own chance, and something to play.
//
// A client does the same whenever it is given the same seed; how long things take is up to the server.
#pragma once

#include <grpcpp/channel.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "client/sdk/server_address.h"

namespace ddsp::soak {

struct Place {
  client::ServerAddress server{}, admin{};
  std::string metrics{};              // HOST:PORT
  std::string own_program{};          // ddsp-soak: plays the clients that crash
  std::vector<std::string> voices{};  // that everybody may play
  // Played as if recorded at whatever rate is needed.
  std::vector<float> recording{};
  // Of the time that clients take where it is up to them.
  double tempo = 1;
};

class Visit {
 public:
  // `place` outlives it.
  Visit(const Place& place, uint64_t seed);

  const Place& place() const { return place_; }
  std::minstd_rand& random() { return random_; }

  // Both ends included.
  int64_t Between(int64_t least, int64_t most);
  double Real(double least, double most);
  bool Chance(double probability) { return Real(0, 1) < probability; }
  template <class T>
  T OneOf(std::initializer_list<T> values) {
    return values.begin()[Between(0, static_cast<int64_t>(values.size()) - 1)];
  }
  const std::string& Voice();
  // Seconds, made shorter by the place's tempo.
  double Seconds(double least, double most) { return Real(least, most) * place_.tempo; }
  std::string Bytes(int64_t size);
  // The next part of the recording, which goes on and on.
  std::vector<float> Music(int64_t samples);

  // A connection of its own.
  std::shared_ptr<grpc::Channel> Connect() const;
  static void Sleep(double seconds);

 private:
  const Place& place_;
  std::minstd_rand random_;
  size_t position_;
};

}  // namespace ddsp::soak
