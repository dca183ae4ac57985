#include "launcher/agent/rank_lines.hpp"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/agent/heirs.hpp"

namespace cow::launch {
namespace {

constexpr Duration patience = 5s;           // for the first words
constexpr std::size_t most_strangers = 64;  // lines that may be open beyond one for each rank

// False: errno says why.
bool send_message(int fd, std::string& bytes, int descriptor) {
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* const control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
}

}  // namespace

RankLines::~RankLines() {
  while (!lines_.empty()) hang_up(lines_.begin()->first);
  if (listener_ < 0) return;
  loop_.forget(listener_);
  close(listener_);
}

std::string RankLines::open(const Job& job, const Inheritance* inherited) {
  job_ = &job;
  inherited_ = inherited;
  for (std::uint32_t rank = 0; rank < job.ranks.size(); ++rank) {
    if (job.ranks[rank].node == job.node) here_.push_back(rank);
  }
  listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  socklen_t size = sizeof(sa_family_t);  // the kernel chooses the name
  if (listener_ < 0 || bind(listener_, reinterpret_cast<const sockaddr*>(&name), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0)
    return std::string("the ranks of this host cannot be listened to: ") + strerror(errno);
  size = sizeof name;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
  address_.assign(name.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  address_ += ":" + job.name;
  loop_.watch(listener_, POLLIN, [this](short) { accept_all(); });
  return {};
}

// Who is at the other end, as the kernel says: a rank, a process below one, or one that it has left behind. False: a
// stranger.
bool RankLines::is_caller(int fd, Line& out) const {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  out.process = who.pid;
  out.same_user = who.uid == geteuid();
  if (who.pid == getpid()) return true;
  const pid_t child = child_above(who.pid);
  return child > 0 && !(is_no_rank && is_no_rank(child));
}

pid_t RankLines::process_of(std::uint32_t rank) const {
  const auto line =
      std::find_if(lines_.begin(), lines_.end(), [&](const auto& entry) { return entry.second.rank == rank; });
  return line == lines_.end() ? 0 : line->second.process;
}

void RankLines::accept_all() {
  int fd;
  while ((fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    Line line;
    if (lines_.size() >= here_.size() + most_strangers || !is_caller(fd, line)) {
      close(fd);
      continue;
    }
    lines_[fd] = std::move(line);
    lines_[fd].timer = loop_.after(patience, [this, fd] {
      lines_[fd].timer = 0;
      hang_up(fd);
    });
    loop_.watch(fd, POLLIN, [this, fd](short) {
      while (read(fd)) {
      }
      if (lines_.count(fd) && !lines_[fd].unsent.empty()) send_rest(fd);
    });
  }
}

void RankLines::hang_up(int fd) {
  const auto found = lines_.find(fd);
  if (found == lines_.end()) return;
  if (found->second.timer) loop_.cancel(found->second.timer);
  if (found->second.fence) in_fence_.erase(found->second.rank);
  lines_.erase(found);
  for (auto& [number, waiting] : fences_) waiting.erase(fd);
  std::erase_if(questions_, [fd](const auto& entry) { return entry.second.fd == fd; });
  loop_.forget(fd);
  close(fd);
}

bool RankLines::read(int fd) {
  alignas(AgentHeader) char message[max_agent_message];
  const ssize_t got = recv(fd, message, sizeof message, MSG_TRUNC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  AgentHeader header;
  if (got < static_cast<ssize_t>(sizeof header) || got > static_cast<ssize_t>(sizeof message)) {
    hang_up(fd);  // its end, or what no rank says
    return false;
  }
  memcpy(&header, message, sizeof header);
  hear(fd, header, std::string_view(message, static_cast<std::size_t>(got)).substr(sizeof header));
  return lines_.count(fd) != 0;
}

void RankLines::drain(std::uint32_t rank) {
  if (listener_ < 0) return;
  accept_all();
  std::vector<int> worth;
  for (const auto& [fd, line] : lines_) {
    if (line.rank == rank || line.rank == all_ranks) worth.push_back(fd);
  }
  for (int fd : worth) {
    while (lines_.count(fd) && read(fd)) {
    }
  }
}

void RankLines::hear(int fd, const AgentHeader& header, std::string_view payload) {
  const std::uint32_t rank = lines_[fd].rank;
  if (header.kind == AgentSays::join) return join(fd, header);
  if (rank == all_ranks) return hang_up(fd);
  switch (header.kind) {
    case AgentSays::ask_nodes: return tell_nodes(fd, header.number);
    case AgentSays::ask_key: return say(fd, AgentSays::key, 0, 0, lines_[fd].same_user ? job_->key : std::string());
    case AgentSays::ask_memory: return hand_out_memory(fd);
    case AgentSays::publish: {
      published_[rank] = payload;
      for (std::uint64_t question : take_questions(rank)) ask_local(question, rank);
      return;
    }
    case AgentSays::fetch: return fetch(fd, header.number, header.token);
    case AgentSays::fence: return enter_fence(fd, header.token);
    case AgentSays::leave: return events_.on_finalized(rank);
    case AgentSays::abort: return events_.on_abort(rank, static_cast<int>(header.number), payload);
    case AgentSays::why: return events_.on_why(rank, payload);
    default: return hang_up(fd);
  }
}

void RankLines::join(int fd, const AgentHeader& header) {
  Line& line = lines_[fd];
  const bool known = std::binary_search(here_.begin(), here_.end(), header.number);
  if (header.token != agent_protocol || !known) {
    const AgentStatus status = known ? AgentStatus::other_version : AgentStatus::unknown_rank;
    return say(fd, AgentSays::joined, static_cast<std::uint32_t>(status), 0, {});
  }
  line.rank = header.number;
  if (line.timer) loop_.cancel(std::exchange(line.timer, 0));
  const auto own = std::lower_bound(here_.begin(), here_.end(), line.rank);
  const AgentFacts facts{static_cast<std::uint32_t>(job_->ranks.size()),
                         job_->node,
                         static_cast<std::uint32_t>(job_->nodes.size()),
                         static_cast<std::uint32_t>(own - here_.begin()),
                         job_->ranks[line.rank].application,
                         static_cast<std::uint32_t>(job_->name.size()),
                         static_cast<std::uint32_t>(here_.size())};
  std::string payload(reinterpret_cast<const char*>(&facts), sizeof facts);
  payload += job_->name;
  payload.append(reinterpret_cast<const char*>(here_.data()), here_.size() * sizeof here_[0]);
  const std::uint32_t rank = line.rank;
  say(fd, AgentSays::joined, static_cast<std::uint32_t>(AgentStatus::good), 0, payload);
  events_.on_connected(rank);
}

void RankLines::tell_nodes(int fd, std::uint32_t first) {
  std::vector<std::uint32_t> nodes;
  for (std::size_t rank = first; rank < job_->ranks.size() && nodes.size() < nodes_in_message; ++rank)
    nodes.push_back(job_->ranks[rank].node);
  say(fd, AgentSays::nodes, first, 0, {reinterpret_cast<const char*>(nodes.data()), nodes.size() * sizeof nodes[0]});
}

void RankLines::hand_out_memory(int fd) {
  const int memory = inherited_ && lines_[fd].same_user ? inherited_->memory() : -1;
  const AgentStatus status = memory >= 0 ? AgentStatus::good : AgentStatus::failed;
  say(fd, AgentSays::memory, static_cast<std::uint32_t>(status), 0, {}, memory);
}

void RankLines::fetch(int fd, std::uint32_t rank, std::uint64_t token) {
  const auto refuse = [&](AgentStatus status) {
    say(fd, AgentSays::fetched, static_cast<std::uint32_t>(status), token, {});
  };
  if (rank >= job_->ranks.size()) return refuse(AgentStatus::unknown_rank);
  const std::uint64_t number = ++last_number_;
  questions_[number] = {fd, token};
  if (job_->ranks[rank].node != job_->node) return events_.on_modex_request(number, rank, 0ms);
  if (gone_.count(rank)) return answer_modex(number, AgentStatus::gone, {});
  ask_local(number, rank);
}

void RankLines::ask_local(std::uint64_t question, std::uint32_t rank) {
  const auto found = published_.find(rank);
  if (found == published_.end()) {
    asked_.emplace(rank, question);
  } else if (question & ours) {
    answer_modex(question, AgentStatus::good, found->second);
  } else {
    events_.on_modex_answer(question, pmix_success, found->second);
  }
}

void RankLines::answer_modex(std::uint64_t question, AgentStatus status, std::string_view data) {
  const auto found = questions_.find(question);
  if (found == questions_.end()) return;
  const Question asked = found->second;
  questions_.erase(found);
  say(asked.fd, AgentSays::fetched, static_cast<std::uint32_t>(status), asked.token, data);
}

std::vector<std::uint64_t> RankLines::take_questions(std::uint32_t rank) {
  const auto [first, last] = asked_.equal_range(rank);
  std::vector<std::uint64_t> out;
  for (auto at = first; at != last; ++at) out.push_back(at->second);
  asked_.erase(first, last);
  return out;
}

// When all ranks of this node have come, the rest of the job is asked.
void RankLines::enter_fence(int fd, std::uint64_t token) {
  lines_[fd].fence = token;
  in_fence_.insert(lines_[fd].rank);
  if (!gone_.empty()) return fail_fence();
  if (in_fence_.size() < here_.size()) return;
  in_fence_.clear();
  const std::uint64_t number = ++last_number_;
  std::set<int>& waiting = fences_[number];
  for (const auto& [other, line] : lines_) {
    if (line.fence) waiting.insert(other);
  }
  events_.on_fence(number, {}, 0ms, {});
}

// A rank has ended that others wait for, or would.
void RankLines::fail_fence() {
  const std::uint64_t number = ++last_number_;
  for (const auto& [fd, line] : lines_) {
    if (line.fence && in_fence_.count(line.rank)) fences_[number].insert(fd);
  }
  in_fence_.clear();
  answer_fence(number, false);
}

void RankLines::answer_fence(std::uint64_t fence, bool good) {
  const auto found = fences_.find(fence);
  if (found == fences_.end()) return;
  const std::set<int> waiting = std::move(found->second);
  fences_.erase(found);
  const auto status = static_cast<std::uint32_t>(good ? AgentStatus::good : AgentStatus::gone);
  for (int fd : waiting) {
    const auto line = lines_.find(fd);
    if (line != lines_.end()) say(fd, AgentSays::fenced, status, std::exchange(line->second.fence, 0), {});
  }
}

// Questions about it that other nodes ask are answered by the agent.
void RankLines::rank_gone(std::uint32_t rank) {
  gone_.insert(rank);
  for (std::uint64_t question : take_questions(rank)) {
    if (question & ours) answer_modex(question, AgentStatus::gone, {});
  }
  in_fence_.erase(rank);
  if (!in_fence_.empty()) fail_fence();
}

void RankLines::say(int fd, AgentSays kind, std::uint32_t number, std::uint64_t token, std::string_view payload,
                    int descriptor) {
  const AgentHeader header{kind, number, token};
  std::string message(reinterpret_cast<const char*>(&header), sizeof header);
  message += payload;
  lines_[fd].unsent.push_back({std::move(message), descriptor});
  if (lines_[fd].unsent.size() == 1) send_rest(fd);
}

void RankLines::send_rest(int fd) {
  std::deque<Message>& unsent = lines_[fd].unsent;
  while (!unsent.empty()) {
    if (!send_message(fd, unsent.front().bytes, unsent.front().descriptor)) {
      if (errno == EAGAIN) return loop_.set_events(fd, POLLIN | POLLOUT);
      if (errno != EINTR) unsent.pop_front();  // nobody is there; the end is read next
      continue;
    }
    unsent.pop_front();
  }
  loop_.set_events(fd, POLLIN);
}

}  // namespace cow::launch
