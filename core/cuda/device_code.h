// Kernels of a step are written once: nvcc compiles them for the GPU, any C++ compiler as plain functions, which the
// tests run.
#pragma once

#ifdef __CUDACC__
#define DDSP_DEVICE __device__ __forceinline__
#define DDSP_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define DDSP_DEVICE inline
#define DDSP_HOST_DEVICE inline
#endif

// A kernel is a struct of sizes and pointers:
//   static constexpr int kThreads              threads of a block
//   int blocks() const, scratch_floats() const  of a launch; scratch is shared by a block and starts on 16 bytes
//   template <class Team> void operator()(Team& team, int block) const
//
// A team is the threads of a block, in phases:
//   team.ForEach(count, body)    body(i) for 0 <= i < count, each by some thread; then all wait for all
//   team.Sum(count, term)        the sum of term(i), known to all; waits like ForEach
//   team.PerThread<T>()          an array over threads of which thread t touches element t: its registers
//   team.scratch()               the block's scratch
//
// Two bodies of one phase must not touch the same memory unless both only read. Code between phases is run by every
// thread: it writes nothing but locals, and reads nothing that the phase right after it writes.
