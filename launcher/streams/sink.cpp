#include "launcher/streams/sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace cow::launch {
namespace {

constexpr Duration line_patience = 200ms;
constexpr std::size_t sure_to_fit = 4096;  // what a pipe that is writable takes without blocking

// "2026-01-31 14:05:09.123", the local time.
std::string time_now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts;
  localtime_r(&now.tv_sec, &parts);
  char text[64];
  const std::size_t size = strftime(text, sizeof text, "%F %T", &parts);
  snprintf(text + size, sizeof text - size, ".%03ld", now.tv_nsec / 1'000'000);
  return text;
}

}  // namespace

Sink::Sink(Loop& loop, int fd, OnGone on_gone, OnError on_error)
    : loop_(loop), fd_(fd), on_gone_(std::move(on_gone)), on_error_(std::move(on_error)) {
  struct stat status;
  if (fstat(fd, &status) != 0) return;
  is_file_ = S_ISREG(status.st_mode);
  // O_NONBLOCK on the descriptor itself would change it for the shell and everybody else who shares it.
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own_fd_ = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_APPEND);
  }
}

Sink::~Sink() {
  if (own_fd_ >= 0) close(own_fd_);
}

std::string Sink::tagged(const Piece& piece, bool at_line_start) const {
  std::string tag = timing_ ? time_now() + " " : "";
  if (tagging_) tag += "[" + std::to_string(piece.rank) + "] ";
  std::string out;
  std::string_view rest = piece.bytes;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (at_line_start) out += tag;
    out += rest.substr(0, end);
    rest.remove_prefix(end);
    at_line_start = true;
  }
  return out;
}

void Sink::write(Piece piece) {
  if (owned_ && owner_ != piece.rank) {
    waiting_.push_back(std::move(piece));
    if (patience_ == 0) be_patient();
    return;
  }
  accept(piece);
  if (!owned_) {
    release_waiting();
  } else if (patience_ != 0) {
    be_patient();  // the line goes on, so it is worth waiting again
  }
}

void Sink::be_patient() {
  if (patience_) loop_.cancel(patience_);
  patience_ = loop_.after(line_patience, [this] {
    patience_ = 0;
    owned_ = false;
    release_waiting();
  });
}

void Sink::accept(Piece& piece) {
  const bool continues = owned_ && owner_ == piece.rank;
  owned_ = piece.line_goes_on;
  owner_ = piece.rank;
  const auto credit = static_cast<std::uint32_t>(piece.bytes.size());
  append({piece.agent, credit, tagging_ || timing_ ? tagged(piece, !continues) : std::move(piece.bytes)});
}

void Sink::release_waiting() {
  if (patience_) loop_.cancel(std::exchange(patience_, 0));
  std::deque<Piece> again;
  again.swap(waiting_);
  for (Piece& piece : again) write(std::move(piece));
}

void Sink::write_own(std::string_view line) { append({0, 0, std::string(line)}); }

void Sink::append(CliOptions part) {
  if (part.bytes.empty()) return;
  if (failed_) {
    if (part.credit > 0) on_gone_(part.agent, part.credit);
    return;
  }
  pending_.push_back(std::move(part));
  if (!watching_) write_some();
}

void Sink::write_some() {
  while (!pending_.empty()) {
    CliOptions& part = pending_.front();
    const char* from = part.bytes.data() + written_;
    const std::size_t size = part.bytes.size() - written_;
    ssize_t wrote;
    if (own_fd_ >= 0) {
      wrote = ::write(own_fd_, from, size);
    } else if (is_file_) {
      wrote = ::write(fd_, from, size);
    } else {
      wrote = send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (wrote < 0 && errno == ENOTSOCK) {
        pollfd polled{fd_, POLLOUT, 0};
        if (poll(&polled, 1, 0) == 1) {
          wrote = ::write(fd_, from, std::min(size, sure_to_fit));
        } else {
          errno = EAGAIN;
        }
      }
    }
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) {
      if (!std::exchange(watching_, true)) loop_.watch(fd_, POLLOUT, [this](short) { write_some(); });
      return;
    }
    if (wrote < 0) return fail(errno);
    written_ += static_cast<std::size_t>(wrote);
    if (written_ < part.bytes.size()) continue;
    const CliOptions done = std::move(part);
    pending_.pop_front();
    written_ = 0;
    if (done.credit > 0) on_gone_(done.agent, done.credit);
  }
  if (std::exchange(watching_, false)) loop_.forget(fd_);
}

void Sink::fail(int error) {
  drop_all();
  on_error_(error);
}

void Sink::drop_all() {
  failed_ = true;
  if (std::exchange(watching_, false)) loop_.forget(fd_);
  std::deque<CliOptions> dropped;
  dropped.swap(pending_);
  written_ = 0;
  owned_ = false;
  for (const CliOptions& part : dropped) {
    if (part.credit > 0) on_gone_(part.agent, part.credit);
  }
  release_waiting();
}

bool same_destination(int a, int b) {
  struct stat one, other;
  return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace cow::launch
