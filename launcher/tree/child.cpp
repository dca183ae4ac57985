#include "launcher/tree/child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "launcher/core/file_limit.hpp"

namespace cow::launch {
namespace {

using std::string;

constexpr int cannot_exec = 127;

std::vector<string> split(const string& text) {
  std::istringstream in(text);
  std::vector<string> out;
  for (string word; in >> word;) out.push_back(word);
  return out;
}

// A word as the shell on the other side must see it. Nothing is added to a plain path: other programs than ssh pass
// the words on without a shell.
string quote(const string& word) {
  const auto plain = [](char c) { return isalnum(static_cast<unsigned char>(c)) || strchr("/._-+=:,@%", c); };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  string out = "'";
  for (char c : word) out += c == '\'' ? "'\\''" : string(1, c);
  return out + "'";
}

std::vector<char*> pointers(const std::vector<string>& words) {
  std::vector<char*> out;
  for (const string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

void ignore(std::initializer_list<int> signals) {
  for (int number : signals) signal(number, SIG_IGN);
}

// In the child: the signals and limits as mpirun found them.
void restore(const SignalState& signals) {
  for (int number = 1; number < NSIG; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    signal(number, sigismember(&signals.ignored, number) == 1 ? SIG_IGN : SIG_DFL);
  }
  sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
  restore_file_limit();
}

string start_here(Child& child, const ChildStart& how, int fds[2]) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return string("socketpair: ") + strerror(errno);
  std::vector<string> words{how.agent, "--channel", std::to_string(ends[1])};
  if (how.input >= 0) words.insert(words.end(), {"--input", std::to_string(how.input)});
  const std::vector<char*> argv = pointers(words);
  child.command = how.agent;
  child.pid = fork();
  if (child.pid == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    fcntl(ends[1], F_SETFD, 0);
    if (how.input >= 0) fcntl(how.input, F_SETFD, 0);
    restore(*how.signals);
    execv(argv[0], argv.data());
    _exit(cannot_exec);
  }
  close(ends[1]);
  fds[0] = fds[1] = ends[0];
  return child.pid < 0 ? string("fork: ") + strerror(errno) : string();
}

string start_there(Child& child, const ChildStart& how, int fds[2]) {
  std::vector<string> words = split(how.remote_shell);
  if (words.empty()) return "no remote shell is set (COW_RSH_AGENT)";
  words.insert(words.end(), {child.name, how.srun ? how.agent : quote(how.agent), "--remote"});
  for (const string& word : words) child.command += (child.command.empty() ? "" : " ") + word;
  int to[2], from[2], error[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
    return string("pipe: ") + strerror(errno);
  }
  const std::vector<char*> argv = pointers(words);
  child.pid = fork();
  if (child.pid == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    dup2(error[1], 2);
    restore(*how.signals);
    // What the user types reaches the ranks through the channel; the remote shell must outlive it to carry the rest.
    ignore({SIGINT, SIGQUIT, SIGHUP, SIGTSTP});
    if (how.srun) setpgid(0, 0);  // srun takes what it ignores; it asks for nothing at the terminal, as ssh may
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // libraries of an agent open descriptors of their own
    execvp(argv[0], argv.data());
    // Without allocating: in an agent there are other threads, of which one may hold the allocator.
    const int error_number = errno;
    for (const char* text : {static_cast<const char*>(argv[0]), ": ", strerrordesc_np(error_number), "\n"}) {
      (void)!write(2, text, strlen(text));
    }
    _exit(cannot_exec);
  }
  close(to[0]);
  close(from[1]);
  close(error[1]);
  fds[0] = from[0];
  fds[1] = to[1];
  child.error_fd = error[0];
  return child.pid < 0 ? string("fork: ") + strerror(errno) : string();
}

string describe(int wait_status) {
  if (WIFSIGNALED(wait_status)) return "was killed by " + name_signal(WTERMSIG(wait_status));
  return "ended with status " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace

string name_signal(int signal) {
  const char* name = sigdescr_np(signal);
  return "signal " + std::to_string(signal) + (name ? " (" + string(name) + ")" : "");
}

string start_child(Child& child, const ChildStart& how, int fds[2]) {
  return child.is_here ? start_here(child, how, fds) : start_there(child, how, fds);
}

string explain_loss(const Child& child) {
  const int code = child.reaped && WIFEXITED(child.wait_status) ? WEXITSTATUS(child.wait_status) : -1;
  if (child.greeted) {
    if (code > 128) return "the agent on host " + child.name + " was killed by " + name_signal(code - 128);
    if (child.is_here && child.reaped && WIFSIGNALED(child.wait_status)) {
      return "the supervisor on host " + child.name + " " + describe(child.wait_status);
    }
    return "the connection to the agent on host " + child.name + " was lost" +
           (child.is_here || !child.reaped ? "" : "; the remote shell " + describe(child.wait_status));
  }
  string step = "no answer came";
  if (child.is_here) {
    step = code == cannot_exec ? "cannot run " + child.command : "the agent " + describe(child.wait_status);
  } else if (child.reaped) {
    step = "the remote shell " + describe(child.wait_status);
    if (code == 255) step += " (it could not connect or log in)";
    if (code == cannot_exec) step += " (a program was not found: the remote shell itself here, or the agent there)";
  }
  string out =
      "cannot start on host " + child.name + (child.from.empty() ? "" : " from host " + child.from) + ": " + step;
  if (child.is_here) return out;
  out += "\n  the command was: " + child.command;
  string said = child.said;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  for (size_t at = said.find('\n'); at != string::npos; at = said.find('\n', at + 1)) said.insert(at + 1, "    ");
  out += said.empty() ? "\n  it said nothing" : "\n  it said: " + said;
  const string noise = child.channel ? child.channel->noise().substr(0, 1024) : string();
  if (!noise.empty()) out += "\n  and printed: " + noise;
  return out;
}

}  // namespace cow::launch
