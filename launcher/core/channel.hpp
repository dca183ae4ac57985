// One end of the stream of frames between two neighbours in the tree of mpirun and its agents, on a Loop.
#pragma once

#include <functional>
#include <string>

#include "launcher/core/fields.hpp"
#include "launcher/core/loop.hpp"

namespace cow::launch {

class Channel {
 public:
  using OnFrame = std::function<void(const Frame&)>;
  using OnEnd = std::function<void()>;  // the other end is gone, or spoke nonsense; called once

  // Takes both descriptors (they may be the same) and makes them non-blocking.
  Channel(Loop& loop, int in, int out, OnFrame on_frame, OnEnd on_end);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // The parent's end: passes over up to 64 KiB of what a login script may print before the greeting.
  void expect_greeting() { greeted_ = false; }
  void send_greeting();

  // `content`: one of frames.hpp.
  template <class Content>
  void send(std::uint32_t node, const Content& content) {
    pass_on({Content::kind, node, write_fields(content)});
  }
  void pass_on(const Frame& frame);
  bool is_open() const { return in_ >= 0; }
  std::size_t unsent() const { return unsent_.size() - sent_; }
  const std::string& noise() const { return noise_; }  // what came before the greeting
  int out_fd() const { return out_; }
  void close();  // without a call of on_end

 private:
  void read_some();
  bool skip_to_greeting(std::string_view& bytes);
  void hand_over_frames();
  void write_some();
  void fail();

  Loop& loop_;
  int in_;
  int out_;
  OnFrame on_frame_;
  OnEnd on_end_;
  FrameParser parser_;
  std::string unsent_;
  std::size_t sent_ = 0;
  std::string noise_;
  bool greeted_ = true;
};

}  // namespace cow::launch
