// mpirun's own standard output and error: where the ranks' lines go. Never blocks the loop, keeps lines of different
// ranks apart, and tells each agent how much of its output has left.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "launcher/core/loop.hpp"

namespace cow::launch {

class Sink {
 public:
  // `on_gone(agent, bytes)`: that many bytes of an agent's output have left. `on_error(errno)`: nothing more can be
  // written; what comes is dropped from now on.
  using OnGone = std::function<void(std::uint32_t agent, std::uint32_t bytes)>;
  using OnError = std::function<void(int error)>;

  Sink(Loop& loop, int fd, OnGone on_gone, OnError on_error);
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink();

  // Output of a rank. While a line of one rank is open, those of others wait for its end, unless it
  // stands still for a fifth of a second: a rank that stops within a line must not silence the rest.
  struct Piece {
    std::uint32_t agent;
    std::uint32_t rank;
    std::string bytes;
    bool line_goes_on;
  };
  void write(Piece piece);
  void write_own(std::string_view line);  // mpirun's own messages

  // Each line begins with its rank ("[3] "), with the time at which it came, or both.
  void decorate_lines(bool ranks, bool times) {
    tagging_ = ranks;
    timing_ = times;
  }

  bool is_empty() const { return pending_.empty() && waiting_.empty(); }
  void drop_all();  // the user wants out at once

 private:
  struct CliOptions {
    std::uint32_t agent;
    std::uint32_t credit;  // bytes to tell of when it has left
    std::string bytes;
  };
  void accept(Piece& piece);
  void release_waiting();
  void be_patient();
  void append(CliOptions part);
  void write_some();
  void fail(int error);
  std::string tagged(const Piece& piece, bool at_line_start) const;

  Loop& loop_;
  int fd_;
  int own_fd_ = -1;  // a second, non-blocking opening of the same pipe or terminal
  bool is_file_ = false;
  OnGone on_gone_;
  OnError on_error_;
  bool tagging_ = false;
  bool timing_ = false;
  bool failed_ = false;
  bool watching_ = false;
  std::deque<CliOptions> pending_;
  std::size_t written_ = 0;    // of the first pending part
  std::deque<Piece> waiting_;  // pieces of other ranks than the owner
  bool owned_ = false;         // a line is open
  std::uint32_t owner_ = 0;    // by this rank
  std::uint64_t patience_ = 0;
};

// Whether both descriptors lead to the same file, pipe or terminal.
bool same_destination(int a, int b);

}  // namespace cow::launch
