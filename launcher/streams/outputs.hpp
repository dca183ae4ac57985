// Where the output of ranks goes: mpirun's own standard output and error, or two files for each rank.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "launcher/core/loop.hpp"
#include "launcher/streams/sink.hpp"

namespace cow::launch {

class Outputs {
 public:
  // `on_error`: what cannot be written to ("the standard output", a file's name), and errno.
  using OnError = std::function<void(const std::string& what, int error)>;
  Outputs(Loop& loop, Sink::OnGone on_gone, OnError on_error);
  ~Outputs();

  // Lines begin with their rank, with the time.
  void decorate(bool ranks, bool times);

  // From now on each rank writes to NAME.RANK.out and NAME.RANK.err, made here with the folders that they are in.
  // What went wrong, or empty.
  std::string use_files(const std::string& name, std::uint32_t ranks);

  void write(int stream, Sink::Piece piece);
  void write_own(std::string_view text);  // mpirun's own messages
  bool is_empty() const;
  void drop_all();

 private:
  struct File {
    int fd;
    std::unique_ptr<Sink> sink;
  };
  std::string open_file(const std::string& path, std::uint32_t rank, int stream);
  Sink& error_sink() { return errors_ ? *errors_ : *outputs_; }

  Loop& loop_;
  Sink::OnGone on_gone_;
  OnError on_error_;
  bool times_ = false;
  std::unique_ptr<Sink> outputs_;
  std::unique_ptr<Sink> errors_;                         // null when both streams go to the same place
  std::map<std::pair<std::uint32_t, int>, File> files_;  // by rank and stream
};

}  // namespace cow::launch
