// mpirun, also installed as mpiexec: starts the ranks of a job and stays until the last of them has ended.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/core/file_limit.hpp"
#include "launcher/mpirun/controller.hpp"
#include "launcher/mpirun/describe_job.hpp"
#include "launcher/mpirun/options.hpp"
#include "launcher/mpirun/why.hpp"

namespace {

using namespace cow::launch;

// A descriptor below 3 that is closed would be given to the next file opened.
void fill_standard_descriptors() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd < 3);
  if (fd >= 3) close(fd);
}

void print_map(const Job& job) {
  std::vector<std::uint32_t> nodes;
  std::vector<std::string> programs;
  for (const Place& rank : job.ranks) {
    nodes.push_back(rank.node);
    programs.push_back(job.applications[rank.application].argv[0]);
  }
  fputs(draw_map(job.nodes, nodes, programs).c_str(), stdout);
  fflush(stdout);
}

// --report-pid: for scripts that send signals. What is wrong, or nothing.
std::string report_pid(const std::string& where) {
  FILE* file = where == "-" ? stdout : where == "+" ? stderr : fopen(where.c_str(), "we");
  if (!file) return "cannot write " + where + ": " + strerror(errno);
  fprintf(file, "%d\n", getpid());
  const bool written = (file == stdout || file == stderr ? fflush(file) : fclose(file)) == 0;
  return written ? std::string() : "cannot write " + where + ": " + strerror(errno);
}

// mpirun --why PID: has the mpirun of that number explain why its job does not go on.
int ask_why(const char* text) {
  char* end = nullptr;
  const long pid = strtol(text, &end, 10);
  if (pid <= 0 || *end != '\0' || kill(static_cast<pid_t>(pid), why_signal()) != 0) {
    fprintf(stderr, "mpirun: --why %s: %s\n", text,
            pid <= 0 || *end ? "expected the process number of an mpirun" : strerror(errno));
    return own_failure;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "--why") == 0) return ask_why(argv[2]);
  fill_standard_descriptors();
  const SignalState signals = SignalState::now();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  Options options;
  if (const auto status = parse_options(argc, argv, environ, options)) return *status;
  Job job;
  std::string wrong = describe_job(options, job);
  if (wrong.empty() && !options.pid_file.empty()) wrong = report_pid(options.pid_file);
  if (!wrong.empty()) {
    fprintf(stderr, "mpirun: %s\n", wrong.c_str());
    return own_failure;
  }
  if (options.show_map) print_map(job);
  if (options.dry_run) return 0;
  raise_file_limit();
  return Controller(options, std::move(job), signals).run();
}
