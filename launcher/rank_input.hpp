// Rank 0's standard input, when mpirun sends it: a pipe that is filled no further than the rank reads.
#pragma once

#include <string>
#include <string_view>

#include "launcher/channel.hpp"
#include "launcher/job.hpp"
#include "launcher/loop.hpp"

namespace cow::launch {

class RankInput {
 public:
  RankInput(Loop& loop, Channel& channel) : loop_(loop), channel_(channel) {}
  ~RankInput() { close_pipe(); }
  RankInput(const RankInput&) = delete;
  RankInput& operator=(const RankInput&) = delete;

  // The descriptor that the rank is to read, which the caller closes; -1: no pipe could be made.
  int open(Input how);
  void rank_started(pid_t pid);
  void take(std::string_view bytes);  // from mpirun; empty: the end
  void close_pipe();

 private:
  void write_some();
  void ask();
  bool rank_waits() const;

  Loop& loop_;
  Channel& channel_;
  Input how_ = Input::none;
  int fd_ = -1;
  pid_t pid_ = -1;
  std::string held_;
  bool at_end_ = false;
  bool asked_ = false;
  Nanoseconds look_again_ = 0;
};

}  // namespace cow::launch
