#include "launcher/core/channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace cow::launch {
namespace {

constexpr std::size_t most_noise = 64 << 10;

void make_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

Channel::Channel(Loop& loop, int in, int out, OnFrame on_frame, OnEnd on_end)
    : loop_(loop), in_(in), out_(out), on_frame_(std::move(on_frame)), on_end_(std::move(on_end)) {
  make_nonblocking(in_);
  make_nonblocking(out_);
  loop_.watch(in_, POLLIN, [this](short events) {
    if (events & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) read_some();
    if (in_ == out_ && in_ >= 0 && (events & POLLOUT)) write_some();
  });
}

Channel::~Channel() { close(); }

void Channel::close() {
  if (in_ < 0) return;
  loop_.forget(in_);
  loop_.forget(out_);
  ::close(in_);
  if (out_ != in_) ::close(out_);
  in_ = out_ = -1;
}

void Channel::fail() {
  if (in_ < 0) return;
  close();
  const OnEnd on_end = on_end_;  // it may destroy this channel
  on_end();
}

void Channel::send_greeting() {
  unsent_.append(greeting);
  write_some();
}

void Channel::pass_on(const Frame& frame) {
  if (in_ < 0) return;
  append_frame(unsent_, frame);
  write_some();
}

void Channel::write_some() {
  while (sent_ < unsent_.size()) {
    const ssize_t wrote = write(out_, unsent_.data() + sent_, unsent_.size() - sent_);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    sent_ += static_cast<std::size_t>(wrote);
  }
  const bool lost = sent_ < unsent_.size() && errno != EAGAIN;
  if (sent_ == unsent_.size() || lost) {
    unsent_.clear();
    sent_ = 0;
  } else if (sent_ > (1 << 20)) {
    unsent_.erase(0, sent_);
    sent_ = 0;
  }
  // A writer whose reader is gone learns of it by reading: what was said last is still there to be read.
  const bool more = !unsent_.empty();
  if (in_ == out_) {
    loop_.set_events(in_, static_cast<short>(POLLIN | (more ? POLLOUT : 0)));
  } else if (more) {
    if (!loop_.watches(out_)) loop_.watch(out_, POLLOUT, [this](short) { write_some(); });
  } else {
    loop_.forget(out_);
  }
}

bool Channel::skip_to_greeting(std::string_view& bytes) {
  noise_.append(bytes);
  const std::size_t found = noise_.find(greeting);
  if (found == std::string::npos) {
    if (noise_.size() > most_noise) fail();
    return false;
  }
  // What follows the greeting began somewhere in `bytes`, because the greeting was not complete before.
  bytes.remove_prefix(bytes.size() - (noise_.size() - found - greeting.size()));
  noise_.resize(found);
  greeted_ = true;
  return true;
}

void Channel::read_some() {
  char buffer[64 << 10];
  const ssize_t got = read(in_, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return fail();
  std::string_view bytes(buffer, static_cast<std::size_t>(got));
  if (!greeted_ && !skip_to_greeting(bytes)) return;
  parser_.feed(bytes);
  hand_over_frames();
}

void Channel::hand_over_frames() {
  Frame frame;
  while (in_ >= 0 && parser_.next(frame)) on_frame_(frame);
  if (in_ >= 0 && parser_.broken()) fail();
}

}  // namespace cow::launch
