// Many streams, each with a connection of its own, that send a message every 20 ms and take the echo.
#pragma once

#include <functional>

namespace ddsp::benchmarks {

struct PacedEcho {
  int streams = 96;
  double seconds = 5;
  int message_bytes = 1290;  // 20 ms of float samples at 16 kHz, and their envelope
};

struct EchoFigures {
  double messages_per_second = 0;
  double p50_ms = 0, p99_ms = 0;  // from when a message was due to its echo
};

// Tells `all_open` when all streams are open, before the first message.
EchoFigures RunPacedEcho(int port, const PacedEcho& options, const std::function<void()>& all_open);

}  // namespace ddsp::benchmarks
