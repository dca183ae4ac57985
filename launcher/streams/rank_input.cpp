#include "launcher/streams/rank_input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "launcher/streams/input_wait.hpp"

namespace cow::launch {
namespace {

// How often is looked whether rank 0 waits for a terminal: less and less while it does not, for a job that computes for
// hours must not pay for it.
constexpr Duration first_look = 20ms;
constexpr Duration last_look = 400ms;

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
  look_again_ = first_look;
  if (fd_ >= 0) ask();
}

RankInput::~RankInput() {
  if (fd_ >= 0) loop_.forget(fd_), close(fd_);
}

void RankInput::close_pipe() {
  if (fd_ < 0) return;
  loop_.forget(fd_);
  close(fd_);
  fd_ = -1;
  held_.clear();
  on_change_();
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
    loop_.after(look_again_, [this] { ask(); });
    look_again_ = std::min<Duration>(look_again_ * 3 / 2, last_look);
    return;
  }
  asked_ = true;
  look_again_ = first_look;
  on_change_();
}

bool RankInput::rank_waits() const {
  int unread = 0;
  struct stat status;
  if (ioctl(fd_, FIONREAD, &unread) != 0 || unread != 0 || fstat(fd_, &status) != 0) return false;
  return waits_for_pipe(pid_, status.st_ino);
}

}  // namespace cow::launch
