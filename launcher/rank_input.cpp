#include "launcher/rank_input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace cow::launch {
namespace {

constexpr std::uint32_t portion = 64 << 10;         // bytes asked for at a time
constexpr Nanoseconds look_again = 30 * millisecond;  // how soon a rank that waits for a terminal is noticed

}  // namespace

int RankInput::open(Input how) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  how_ = how;
  fd_ = ends[1];
  return ends[0];
}

void RankInput::rank_started(pid_t pid) {
  pid_ = pid;
  if (fd_ >= 0) ask();
}

void RankInput::close_pipe() {
  if (fd_ < 0) return;
  loop_.forget(fd_);
  close(fd_);
  fd_ = -1;
  held_.clear();
}

void RankInput::take(std::string_view bytes) {
  if (fd_ < 0) return;
  asked_ = false;
  if (bytes.empty()) at_end_ = true;
  held_.append(bytes);
  write_some();
}

void RankInput::write_some() {
  while (!held_.empty()) {
    const ssize_t wrote = write(fd_, held_.data(), held_.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) {
      loop_.watch(fd_, POLLOUT, [this](short) { write_some(); });
      return;
    }
    if (wrote < 0) return close_pipe();  // nobody reads any more
    held_.erase(0, static_cast<std::size_t>(wrote));
  }
  loop_.forget(fd_);
  if (at_end_) return close_pipe();
  ask();
}

// What comes from a file or a pipe is asked for at once; what comes from a terminal, only when the rank waits for it,
// so that what is typed ahead for the shell stays there.
void RankInput::ask() {
  if (fd_ < 0 || asked_) return;
  if (how_ == Input::on_demand && !rank_waits()) {
    loop_.after(look_again, [this] { ask(); });
    return;
  }
  asked_ = true;
  channel_.send(Kind::input_credit, Writer().u32(portion));
}

bool RankInput::rank_waits() const {
  int unread = 0;
  return ioctl(fd_, FIONREAD, &unread) == 0 && unread == 0;
}

}  // namespace cow::launch
