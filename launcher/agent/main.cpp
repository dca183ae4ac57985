// cow-agent: started by mpirun on each node of a job, never by hand. Its standard input and output are the channel to
// mpirun unless --channel names a descriptor for both.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/agent/agent.hpp"
#include "launcher/agent/supervisor.hpp"
#include "launcher/core/file_limit.hpp"
#include "launcher/core/memory_trim.hpp"
#include "launcher/rm/slurm_signals.hpp"

namespace {

using namespace cow::launch;

int usage() {
  fputs("cow-agent is started by mpirun, on each node of a job; it does nothing by itself.\n", stderr);
  return 2;
}

// Variables of whoever started mpirun (another launcher, perhaps) that would mislead the PMIx server in here. The
// ranks' environment comes from mpirun and is not touched by this.
void forget_outer_launcher() {
  for (const char* name : {"PMIX_NAMESPACE", "PMIX_RANK", "PMIX_SERVER_URI2", "PMIX_SERVER_URI21", "PMIX_SERVER_URI3",
                           "PMIX_SERVER_URI4", "PMIX_SERVER_URI41", "PMIX_SECURITY_MODE", "PMIX_GDS_MODULE",
                           "PMIX_SERVER_TMPDIR", "PMIX_SYSTEM_TMPDIR", "PMIX_HOSTNAME", "PMIX_KEEPALIVE_PIPE"}) {
    unsetenv(name);
  }
}

// 0, 1 and 2 are given to nobody: a library's stray message must not end up in the channel.
void occupy_standard_descriptors() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, 0);
  dup2(null, 1);
  if (null > 2) close(null);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--slurm-signals") == 0) return forward_slurm_signals();
  AgentPlan plan;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--remote") == 0) {
      plan.remote = true;
    } else if (strcmp(argv[i], "--channel") == 0 && i + 1 < argc) {
      plan.in = plan.out = atoi(argv[++i]);
    } else if (strcmp(argv[i], "--input") == 0 && i + 1 < argc) {
      plan.input = atoi(argv[++i]);
    } else {
      return usage();
    }
  }
  if (argc < 2) return usage();
  plan.signals = SignalState::now();
  if (plan.remote) {
    // What a remote shell ignores or blocks says nothing about how the user started mpirun.
    sigemptyset(&plan.signals.mask);
    sigemptyset(&plan.signals.ignored);
    sigprocmask(SIG_SETMASK, &plan.signals.mask, nullptr);
    plan.in = fcntl(0, F_DUPFD_CLOEXEC, 3);
    plan.out = fcntl(1, F_DUPFD_CLOEXEC, 3);
    occupy_standard_descriptors();
  }
  if (plan.input >= 0) fcntl(plan.input, F_SETFD, FD_CLOEXEC);
  fcntl(plan.in, F_SETFD, FD_CLOEXEC);
  forget_outer_launcher();
  keep_one_heap();
  return supervise_agent(plan.in, [&](pid_t supervisor) {
    plan.supervisor = supervisor;
    raise_file_limit();
    return Agent(plan).run();
  });
}
