#include "launcher/streams/rank_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace cow::launch {
namespace {

constexpr std::size_t longest_held = 64 << 10;  // a longer line is passed on in pieces
constexpr Duration line_patience = 200ms;       // how long a line in pieces may stand still

bool is_readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

}  // namespace

RankOutput::RankOutput(Loop& loop, Channel& channel, std::uint32_t node, std::uint32_t window, milliseconds flush_after)
    : loop_(loop), channel_(channel), node_(node), credit_(window), flush_after_(flush_after) {}

void RankOutput::add(std::uint32_t rank, int stream, int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  pipes_[fd] = {rank, static_cast<std::uint8_t>(stream), {}};
  loop_.watch(fd, is_held_up(fd) ? 0 : POLLIN, [this, fd](short) { on_readable(fd); });
}

void RankOutput::on_readable(int fd) {
  const auto found = pipes_.find(fd);
  if (found == pipes_.end() || is_held_up(fd)) return;
  if (!read_once(fd, found->second)) close_pipe(fd);
  if (credit_ <= 0) update_events();
}

bool RankOutput::is_held_up(int fd) const {
  const int owner = owner_[pipes_.at(fd).stream];
  return credit_ <= 0 || (owner >= 0 && owner != fd);
}

void RankOutput::update_events() {
  for (const auto& [fd, pipe] : pipes_) loop_.set_events(fd, is_held_up(fd) ? 0 : POLLIN);
}

// Called with each piece of a long line, and at its end. The others of the stream are read again when the line has
// ended or stands still: to hold them back here keeps the window free for the line itself.
void RankOutput::own_stream(int fd, bool owns) {
  const int stream = pipes_.at(fd).stream;
  if (!owns && owner_[stream] != fd) return;
  if (patience_[stream]) loop_.cancel(std::exchange(patience_[stream], 0));
  const bool changed = (owner_[stream] == fd) != owns;
  owner_[stream] = owns ? fd : -1;
  if (owns) {
    patience_[stream] = loop_.after(line_patience, [this, stream] {
      patience_[stream] = 0;
      owner_[stream] = -1;
      update_events();
      if (finishing_) finish();
    });
  }
  if (changed) update_events();
}

// False: the pipe is at its end, or empty when nothing more is expected.
bool RankOutput::read_once(int fd, Pipe& pipe) {
  char buffer[64 << 10];
  const auto most = static_cast<std::size_t>(std::min<std::int64_t>(credit_, sizeof buffer));
  const ssize_t got = read(fd, buffer, most);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return !finishing_;
  if (got <= 0) return false;
  take(pipe, std::string_view(buffer, static_cast<std::size_t>(got)));
  own_stream(fd, pipe.line_is_open);
  return true;
}

void RankOutput::take(Pipe& pipe, std::string_view bytes) {
  const std::size_t end = bytes.rfind('\n');
  if (end != std::string_view::npos) {
    const std::string_view lines = bytes.substr(0, end + 1);
    if (pipe.held.empty()) {
      send(pipe, lines, false);
    } else {
      pipe.held.append(lines);
      send(pipe, pipe.held, false);
      pipe.held.clear();
    }
    pipe.line_is_open = false;
    bytes.remove_prefix(end + 1);
  }
  pipe.held.append(bytes);
  if (pipe.held.size() > longest_held) {
    send(pipe, pipe.held, true);
    pipe.held.clear();
    pipe.line_is_open = true;
  }
  if (!pipe.held.empty() && flush_after_ > 0ms && flush_timer_ == 0) {
    flush_timer_ = loop_.after(flush_after_, [this] { flush_partial_lines(); });
  }
}

void RankOutput::send(const Pipe& pipe, std::string_view bytes, bool line_goes_on) {
  channel_.send(node_, frames::Output{pipe.rank, pipe.stream, line_goes_on, bytes});
  credit_ -= static_cast<std::int64_t>(bytes.size());
}

void RankOutput::flush_partial_lines() {
  flush_timer_ = 0;
  for (auto& [fd, pipe] : pipes_) {
    if (pipe.held.empty()) continue;
    send(pipe, pipe.held, true);
    pipe.held.clear();
    pipe.line_is_open = true;
  }
}

void RankOutput::close_pipe(int fd) {
  const auto found = pipes_.find(fd);
  Pipe& pipe = found->second;
  // An empty piece still says that the line which was begun ends here.
  if (!pipe.held.empty() || pipe.line_is_open) send(pipe, pipe.held, false);
  own_stream(fd, false);
  loop_.forget(fd);
  close(fd);
  pipes_.erase(found);
  if (pipes_.empty() && finishing_) tell_empty();
}

void RankOutput::tell_empty() {
  if (const auto tell = std::exchange(on_empty, nullptr)) tell();
}

void RankOutput::credit(std::uint32_t bytes) {
  const bool was_out = credit_ <= 0;
  credit_ += bytes;
  if (!was_out || credit_ <= 0) return;
  update_events();
  if (finishing_) finish();
}

void RankOutput::drain(std::uint32_t rank) {
  std::vector<std::pair<int, int>> there;  // descriptor, bytes in it now: a child of the rank may go on writing
  for (const auto& [fd, pipe] : pipes_) {
    int bytes = 0;
    if (pipe.rank == rank && ioctl(fd, FIONREAD, &bytes) == 0) there.emplace_back(fd, bytes);
  }
  for (auto [fd, bytes] : there) {
    const std::int64_t least = credit_ - bytes;
    // A line without an end is held, so credit_ does not fall: the loop then goes on to the end of the pipe.
    do {
      on_readable(fd);
    } while (pipes_.count(fd) && !is_held_up(fd) && credit_ > least && is_readable(fd));
    // Where the end is not there yet, some other process holds the pipe: a child, or one that has not quite become
    // its program. The rank's own last words do not wait for it.
    if (const auto pipe = pipes_.find(fd); pipe != pipes_.end() && !pipe->second.held.empty()) {
      send(pipe->second, pipe->second.held, true);
      pipe->second.held.clear();
      pipe->second.line_is_open = true;
    }
  }
}

void RankOutput::finish() {
  finishing_ = true;
  std::vector<int> open;
  for (const auto& [fd, pipe] : pipes_) open.push_back(fd);
  // Those in the middle of a line first, because the others wait for them.
  std::stable_partition(open.begin(), open.end(), [&](int fd) { return owner_[pipes_.at(fd).stream] == fd; });
  for (int fd : open) {
    while (pipes_.count(fd) && !is_held_up(fd)) on_readable(fd);
  }
  if (pipes_.empty()) tell_empty();
}

}  // namespace cow::launch
