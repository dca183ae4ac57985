// A rank's standard input, when mpirun sends it: a pipe that is filled no further than the rank reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"

namespace cow::launch {

class RankInput {
 public:
  // `on_change` is called when more input is wanted, and when the pipe was closed.
  RankInput(Loop& loop, std::function<void()> on_change) : loop_(loop), on_change_(std::move(on_change)) {}
  ~RankInput();
  RankInput(const RankInput&) = delete;
  RankInput& operator=(const RankInput&) = delete;

  // The descriptor that the rank is to read, which the caller closes; -1: no pipe could be made.
  int open(Input how);
  void rank_started(pid_t pid);
  void take(std::string_view bytes);  // from mpirun; empty: the end
  void close_pipe();
  bool is_open() const { return fd_ >= 0; }
  bool wants() const { return asked_; }  // all that came has been read, or will be soon

 private:
  void write_some();
  void ask();
  bool rank_waits() const;

  Loop& loop_;
  std::function<void()> on_change_;
  Input how_ = Input::none;
  int fd_ = -1;
  pid_t pid_ = -1;
  std::string held_;
  bool at_end_ = false;
  bool asked_ = false;
  Duration look_again_{};
};

}  // namespace cow::launch
