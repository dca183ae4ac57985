// Slurm sends a signal that warns a job (--signal, scancel --signal) to the job's steps. The agents of other nodes are steps,
// since srun starts them; that of mpirun's own node is mpirun's child, and no step. So where it has ranks, mpirun has a step
// there that does nothing but listen (`cow-agent --slurm-signals`), and passes on what it hears.
#pragma once

#include <functional>
#include <string>

#include "launcher/core/loop.hpp"
#include "launcher/core/process.hpp"

namespace cow::launch {

class SlurmSignals {
 public:
  using Heard = std::function<void(int signal)>;

  // `command`: srun with its options. Without srun there is nobody who listens, and that is all.
  SlurmSignals(Loop& loop, const std::string& command, const std::string& node, const std::string& agent,
               const SignalState& signals, Heard heard);
  SlurmSignals(const SlurmSignals&) = delete;
  SlurmSignals& operator=(const SlurmSignals&) = delete;
  ~SlurmSignals();  // waits a moment for its end

 private:
  void listen();

  Loop& loop_;
  Heard heard_;
  pid_t pid_ = -1;
  int to_ = -1;    // its standard input: it ends with it
  int from_ = -1;  // a byte for each signal
};

// The other end: passes on signals until its standard input ends.
int forward_slurm_signals();

}  // namespace cow::launch
