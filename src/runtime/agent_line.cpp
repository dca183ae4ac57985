#include "runtime/agent_line.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/agent_wire.hpp"

namespace cow::runtime::agent_line {
namespace {

int line = -1;
pthread_t reader;  // takes the answers of fetch() and start_fence(); runs from the first of them on
bool reader_runs = false;
std::uint64_t last_token = 0;

using Answer = std::function<void(AgentStatus, std::string)>;
std::mutex mutex;  // guards what is below
std::map<std::uint64_t, Answer> open_questions;
bool line_is_dead = false;

struct Message {
  AgentHeader header{};
  std::string payload;
};

bool say(AgentSays kind, std::uint32_t number = 0, std::uint64_t token = 0, std::string_view payload = {},
         int flags = 0) {
  if (sizeof(AgentHeader) + payload.size() > max_agent_message) return false;
  AgentHeader header{kind, number, token};
  iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(payload.data()), payload.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent;
  do {
    sent = sendmsg(line, &message, MSG_NOSIGNAL | flags);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

// A descriptor that came along with a message; -1: none did.
int descriptor_of(msghdr& message) {
  cmsghdr* const control = CMSG_FIRSTHDR(&message);
  int out = -1;
  if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
      control->cmsg_len == CMSG_LEN(sizeof out))
    memcpy(&out, CMSG_DATA(control), sizeof out);
  return out;
}

// `descriptor` takes the one that comes along; where none is expected, none is accepted.
bool hear(Message& out, int* descriptor = nullptr) {
  out.payload.resize(max_agent_message);
  iovec parts[2] = {{&out.header, sizeof out.header}, {out.payload.data(), out.payload.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  ssize_t got;
  do {
    message.msg_control = descriptor ? space : nullptr;
    message.msg_controllen = descriptor ? sizeof space : 0;
    got = recvmsg(line, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (descriptor) *descriptor = got >= 0 ? descriptor_of(message) : -1;
  if (got < static_cast<ssize_t>(sizeof out.header)) return false;
  out.payload.resize(static_cast<std::size_t>(got) - sizeof out.header);
  return true;
}

// What COW_AGENT says, if it is meant for this process.
std::string_view socket_name() {
  const char* text = getenv("COW_AGENT");
  const char* job = getenv("PMIX_NAMESPACE");
  const char* colon = text ? strchr(text, ':') : nullptr;
  if (!colon || !job || strcmp(colon + 1, job) != 0 || !getenv("PMIX_RANK")) return {};
  return {text, static_cast<std::size_t>(colon - text)};
}

int connect_to(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() + 1 > sizeof address.sun_path) return -1;
  memcpy(address.sun_path + 1, name.data(), name.size());  // the zero before it says: abstract
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  int wrong;
  do {
    wrong = fd < 0 ? -1 : connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  } while (wrong && errno == EINTR);
  if (!wrong) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

bool hang_up() {
  close(std::exchange(line, -1));
  return false;
}

bool read_facts(const std::string& payload, Facts& out, std::uint32_t& node_count) {
  AgentFacts facts;
  if (payload.size() < sizeof facts) return false;
  memcpy(&facts, payload.data(), sizeof facts);
  const std::uint64_t wanted =
      sizeof facts + std::uint64_t{facts.name_size} + sizeof(std::uint32_t) * std::uint64_t{facts.local_count};
  if (payload.size() != wanted || facts.size == 0 || static_cast<std::uint32_t>(out.rank) >= facts.size) return false;
  out.name = payload.substr(sizeof facts, facts.name_size);
  out.size = static_cast<int>(facts.size);
  out.local_rank = static_cast<int>(facts.local_rank);
  out.appnum = static_cast<int>(facts.appnum);
  out.node = facts.node;
  out.local_ranks.resize(facts.local_count);
  memcpy(out.local_ranks.data(), payload.data() + sizeof facts + facts.name_size, facts.local_count * sizeof(int));
  node_count = facts.node_count;
  return true;
}

bool ask_nodes(Facts& out) {
  while (out.nodes.size() < static_cast<std::size_t>(out.size)) {
    Message answer;
    if (!say(AgentSays::ask_nodes, static_cast<std::uint32_t>(out.nodes.size())) || !hear(answer)) return false;
    const std::size_t count = answer.payload.size() / sizeof(std::uint32_t), before = out.nodes.size();
    if (answer.header.kind != AgentSays::nodes || count == 0) return false;
    out.nodes.resize(before + count);
    memcpy(&out.nodes[before], answer.payload.data(), count * sizeof(std::uint32_t));
  }
  return true;
}

// The agent has gone, or the line was closed: nobody is left waiting.
void answer_all() {
  std::map<std::uint64_t, Answer> left;
  {
    const std::lock_guard lock(mutex);
    line_is_dead = true;
    left.swap(open_questions);
  }
  for (auto& [token, answer] : left) answer(AgentStatus::failed, {});
}

void* read_answers(void*) {
  prctl(PR_SET_NAME, "cow-line");
  Message message;
  while (hear(message)) {
    Answer answer;
    {
      const std::lock_guard lock(mutex);
      const auto found = open_questions.find(message.header.token);
      if (found == open_questions.end()) continue;
      answer = std::move(found->second);
      open_questions.erase(found);
    }
    answer(static_cast<AgentStatus>(message.header.number), std::move(message.payload));
    message.payload.clear();
  }
  answer_all();
  return nullptr;
}

bool start_reader() {
  if (reader_runs) return true;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // the program's handlers run in the program's threads
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  reader_runs = pthread_create(&reader, &attributes, read_answers, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return reader_runs;
}

void ask(AgentSays kind, std::uint32_t number, Answer answer) {
  const std::uint64_t token = ++last_token;
  {
    const std::lock_guard lock(mutex);
    open_questions[token] = std::move(answer);
  }
  const bool asked = start_reader() && say(kind, number, token);
  // When the reader has ended before it could see this question, nobody else answers it.
  std::unique_lock lock(mutex);
  const auto found = open_questions.find(token);
  if (found == open_questions.end() || (asked && !line_is_dead)) return;
  answer = std::move(found->second);
  open_questions.erase(found);
  lock.unlock();
  answer(AgentStatus::failed, {});
}

const char* what_is_wrong(AgentStatus status) {
  switch (status) {
    case AgentStatus::good: return nullptr;
    case AgentStatus::gone: return "it has ended";
    case AgentStatus::unknown_rank: return "the launcher knows no such rank";
    default: return "the launcher does not answer";
  }
}

}  // namespace

bool is_offered() { return !socket_name().empty(); }

bool join(Facts& out) {
  line = connect_to(socket_name());
  if (line < 0) return false;
  out.rank = atoi(getenv("PMIX_RANK"));
  Message answer;
  std::uint32_t node_count = 0;
  if (!say(AgentSays::join, static_cast<std::uint32_t>(out.rank), agent_protocol) || !hear(answer) ||
      answer.header.kind != AgentSays::joined || static_cast<AgentStatus>(answer.header.number) != AgentStatus::good ||
      !read_facts(answer.payload, out, node_count))
    return hang_up();
  if (node_count > 1 && !ask_nodes(out)) return hang_up();
  const std::lock_guard lock(mutex);
  line_is_dead = false;
  return true;
}

// The job's secret is longer; what a rank needs of it is its beginning, as in the file that it inherits.
bool ask_key(SipKey& out) {
  Message answer;
  if (!say(AgentSays::ask_key) || !hear(answer) || answer.header.kind != AgentSays::key ||
      answer.payload.size() < sizeof out)
    return false;
  memcpy(&out, answer.payload.data(), sizeof out);
  return true;
}

int ask_memory() {
  Message answer;
  int out = -1;
  const bool heard = say(AgentSays::ask_memory) && hear(answer, &out);
  if (heard && answer.header.kind == AgentSays::memory) return out;
  if (out >= 0) close(out);
  return -1;
}

Error publish(std::string_view bytes) {
  return say(AgentSays::publish, 0, 0, bytes) ? success : fail(ErrorClass::other, "the launcher does not answer");
}

void fetch(int rank, Fetched got) {
  ask(AgentSays::fetch, static_cast<std::uint32_t>(rank),
      [got = std::move(got)](AgentStatus status, std::string bytes) { got(what_is_wrong(status), std::move(bytes)); });
}

// A launcher that cannot fence has nothing more to tell; the end goes on without it.
void start_fence(std::function<void()> done) {
  ask(AgentSays::fence, 0, [done = std::move(done)](AgentStatus, const std::string&) { done(); });
}

bool report_wait(std::string_view lines) {
  constexpr std::size_t most = max_agent_message - sizeof(AgentHeader);
  while (!lines.empty()) {
    const std::size_t end = lines.size() <= most ? lines.size() : lines.rfind('\n', most - 1) + 1;
    if (line < 0 || end == 0 || !say(AgentSays::why, 0, 0, lines.substr(0, end), MSG_DONTWAIT)) return false;
    lines.remove_prefix(end);
  }
  return true;
}

void abort(int status) {
  if (line < 0 || !say(AgentSays::abort, static_cast<std::uint32_t>(status))) return;
  constexpr int patience = 2000;  // ms
  pollfd hang_up{line, 0, 0};
  poll(&hang_up, 1, patience);
}

void leave() {
  if (line < 0) return;
  say(AgentSays::leave);
  shutdown(line, SHUT_RDWR);
  if (std::exchange(reader_runs, false)) pthread_join(reader, nullptr);
  hang_up();
}

}  // namespace cow::runtime::agent_line
