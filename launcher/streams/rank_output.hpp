// The agent's side of the ranks' standard output and error: reads their pipes, cuts what it reads at line ends and
// sends it to mpirun, never more than the window that mpirun has opened.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "launcher/core/channel.hpp"
#include "launcher/core/frames.hpp"
#include "launcher/core/loop.hpp"

namespace cow::launch {

class RankOutput {
 public:
  // `node`: this one; `window`: bytes that may be on their way; `flush_after`: see Job.
  RankOutput(Loop& loop, Channel& channel, std::uint32_t node, std::uint32_t window, milliseconds flush_after);

  void add(std::uint32_t rank, int stream, int fd);  // takes the descriptor
  void credit(std::uint32_t bytes);
  // Sends what the rank's pipes hold now, as far as the window allows: called before its end is reported, so that its
  // last words come first.
  void drain(std::uint32_t rank);
  // No writer is left that matters: what the pipes hold now is sent, then they are closed.
  void finish();
  bool is_empty() const { return pipes_.empty(); }
  std::function<void()> on_empty;  // called once after finish(), when all is sent

 private:
  struct Pipe {
    std::uint32_t rank;
    std::uint8_t stream;
    std::string held;           // the beginning of a line
    bool line_is_open = false;  // a beginning of it has been sent already
  };
  bool is_held_up(int fd) const;
  void update_events();
  void on_readable(int fd);
  bool read_once(int fd, Pipe& pipe);
  void take(Pipe& pipe, std::string_view bytes);
  void send(const Pipe& pipe, std::string_view bytes, bool line_goes_on);
  void flush_partial_lines();
  void close_pipe(int fd);
  void tell_empty();
  void own_stream(int fd, bool owns);

  Loop& loop_;
  Channel& channel_;
  std::uint32_t node_;
  std::int64_t credit_;  // may fall a little below zero: a line that was held is sent whole
  milliseconds flush_after_;
  std::uint64_t flush_timer_ = 0;
  bool finishing_ = false;
  std::map<int, Pipe> pipes_;
  int owner_[3] = {-1, -1, -1};  // by stream: the pipe in the middle of a line too long to be held; others wait for it
  std::uint64_t patience_[3] = {};
};

}  // namespace cow::launch
