#include "transport/ofi/process_pair.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "transport/ofi/ofi.hpp"

// For the builds with AddressSanitizer: net of libfabric 1.17 leaks an fi_info for each endpoint; other providers, opened
// by the same code, leak nothing.
extern "C" {
[[gnu::visibility("default")]] const char* __lsan_default_suppressions() { return "leak:libfabric\n"; }
[[gnu::visibility("default")]] const char* __lsan_default_options() { return "print_suppressions=0"; }
}

namespace cow::test {
namespace {

void write_all(int fd, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    if (n <= 0) _exit(3);
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

void read_all(int fd, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t n = read(fd, at, size);
    if (n <= 0) _exit(3);
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

std::string describe(int index, int status) {
  const std::string who = "side " + std::to_string(index);
  if (WIFSIGNALED(status)) return who + " was ended by signal " + std::to_string(WTERMSIG(status)) + "\n";
  if (WEXITSTATUS(status) != 0) return who + " ended with status " + std::to_string(WEXITSTATUS(status)) + "\n";
  return "";
}

}  // namespace

void Channel::tell(const std::string& text) const {
  const std::size_t size = text.size();
  write_all(out_, &size, sizeof size);
  write_all(out_, text.data(), size);
}

std::string Channel::hear() const {
  std::size_t size = 0;
  read_all(in_, &size, sizeof size);
  std::string text(size, '\0');
  read_all(in_, text.data(), size);
  return text;
}

bool Channel::has_word() const {
  pollfd waited = {in_, POLLIN, 0};
  return ::poll(&waited, 1, 0) > 0;
}

Side::~Side() = default;

void Side::open(const std::string& provider, bool one_node) {
  if (transport::open_port(provider, one_node, *this, port)) die("open_port(%s): %s", provider.c_str(), last_failure());
  channel.tell(port->published());
  other_published = channel.hear();
  std::vector<transport::Candidate> candidates;
  if (port->candidates(other_published, true, candidates)) die("candidates: %s", last_failure());
  if (port->reach(candidates.front(), other)) die("reach(%s): %s", candidates.front().text.c_str(), last_failure());
}

void Side::send(const void* head, std::size_t head_size, const transport::Body& body) {
  const Nanoseconds limit = now() + 20 * second;
  while (port->send(other, head, head_size, body) == transport::Post::again) {
    port->poll();
    if (now() > limit) die("side %d: send() answered `again` for 20 s", index);
  }
}

void Side::poll_until(const std::function<bool()>& done) {
  const Nanoseconds limit = now() + 20 * second;
  for (int i = 0; !done(); ++i) {
    if (port->poll() == 0 && i % 64 == 0) usleep(0);  // two sides and other tests share the cores
    if (now() > limit) die("side %d: what it waits for did not come in 20 s", index);
  }
}

void die(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  _exit(1);
}

std::string run_sides(int count, const std::function<void(Side&)>& body, double seconds) {
  std::vector<std::array<int, 2>> pipes(static_cast<std::size_t>(count));
  for (auto& each : pipes)
    if (pipe(each.data()) != 0) return "no pipe";
  int errors[2];
  if (pipe(errors) != 0) return "no pipe";
  fflush(nullptr);
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(static_cast<unsigned>(seconds) + 1);
      dup2(errors[1], STDERR_FILENO);
      const auto in = static_cast<std::size_t>(i), out = static_cast<std::size_t>(i ^ 1);
      for (std::size_t k = 0; k < pipes.size(); ++k) {  // so that the end of the other is seen
        if (k != in) close(pipes[k][0]);
        if (k != out) close(pipes[k][1]);
      }
      int status = 0;
      {
        Side side(i, Channel(pipes[in][0], pipes[out % pipes.size()][1]));
        body(side);
      }
      exit(status);
    }
    children.push_back(child);
  }
  close(errors[1]);
  for (auto& each : pipes) {
    close(each[0]);
    close(each[1]);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(errors[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(errors[0]);
  for (int i = 0; i < count; ++i) {
    int status = 0;
    waitpid(children[static_cast<std::size_t>(i)], &status, 0);
    text += describe(i, status);
  }
  return text;
}

}  // namespace cow::test
