// How many threads and streams a server has, from its options and its machine.
#pragma once

#include "server/scheduler/batch_former.h"
#include "server/server_options.h"

namespace ddsp::server {

int CoreCount();

bool OnGpu(const ServerOptions& options);

// A GPU steps one batch of all streams, which shares its work out to the model threads itself.
int DeviceThreadCount(const ServerOptions& options);

// Those that decode, encode and write: what the model threads leave, unless the number is given.
int CrewThreadCount(const ServerOptions& options);

BatchFormer::Options BatchOptionsOf(const ServerOptions& options);

// Of one connection: the sessions, streams that wait with their config, and probes.
int StreamsPerConnection(const ServerOptions& options);

}  // namespace ddsp::server
