// mpirun, also installed as mpiexec: starts the ranks of a job and stays until the last of them has ended.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "launcher/controller.hpp"
#include "launcher/hosts.hpp"
#include "launcher/options.hpp"

extern char** environ;

namespace {

using namespace cow::launch;

constexpr int own_failure = 125;

// A descriptor below 3 that is closed would be given to the next file opened.
void fill_standard_descriptors() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd < 3);
  if (fd >= 3) close(fd);
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  if (getrandom(out.data(), size, 0) != static_cast<ssize_t>(size)) out.clear();
  return out;
}

std::string job_name(const std::string& key) {
  char text[64];
  snprintf(text, sizeof text, "cow-%d-%02x%02x%02x%02x", getpid(), key[0] & 0xff, key[1] & 0xff, key[2] & 0xff,
           key[3] & 0xff);
  return text;
}

Input choose_input(bool rank_0_is_here) {
  if (isatty(0)) return Input::on_demand;
  return rank_0_is_here ? Input::inherited : Input::sent;
}

// The ranks of each program and of each host. Hosts that get no rank are left out.
std::string place(const Options& options, Job& job) {
  const std::vector<Host> here{{this_host(), 0}};
  const std::vector<Host>& hosts = options.hosts.empty() ? here : options.hosts;
  const std::uint32_t slots =
      options.hosts.empty() ? 1 : std::accumulate(hosts.begin(), hosts.end(), 0u, [](std::uint32_t sum, const Host& h) {
        return sum + static_cast<std::uint32_t>(std::max(h.slots, 1));
      });
  std::vector<std::uint32_t> application_of_rank;
  for (std::uint32_t index = 0; index < options.programs.size(); ++index) {
    const std::uint32_t ranks = options.programs[index].ranks;
    application_of_rank.insert(application_of_rank.end(), ranks ? ranks : slots, index);
  }
  const Placement placement = place_ranks(hosts, static_cast<std::uint32_t>(application_of_rank.size()),
                                          options.settings.oversubscribe, options.host_source);
  if (!placement.error.empty()) return placement.error;
  std::vector<std::uint32_t> node_of_host(hosts.size(), ~0u);
  for (std::size_t rank = 0; rank < application_of_rank.size(); ++rank) {
    std::uint32_t& node = node_of_host[placement.host_of_rank[rank]];
    if (node == ~0u) {
      node = static_cast<std::uint32_t>(job.nodes.size());
      job.nodes.push_back(hosts[placement.host_of_rank[rank]].name);
    }
    job.ranks.push_back({node, application_of_rank[rank]});
  }
  return {};
}

std::string describe_job(const Options& options, Job& job) {
  job.key = random_bytes(32);
  const std::string salt = random_bytes(4);  // the name is no secret and must not tell of the key
  if (job.key.empty() || salt.empty()) return std::string("no random numbers: ") + strerror(errno);
  job.name = job_name(salt);
  job.environment = options.environment;
  for (const Program& program : options.programs) job.applications.push_back(program.application);
  if (std::string wrong = place(options, job); !wrong.empty()) return wrong;
  job.input = choose_input(options.hosts.empty() || is_this_host(job.nodes[0]));
  job.flush_after = isatty(1) || isatty(2) ? 30 : 0;
  job.output_window = static_cast<std::uint32_t>(
      std::clamp<std::size_t>((std::size_t{32} << 20) / job.nodes.size(), 64 << 10, 1 << 20));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  const SignalState signals = SignalState::now();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  Options options;
  if (const auto status = parse_options(argc, argv, environ, options)) return *status;
  Job job;
  if (const std::string wrong = describe_job(options, job); !wrong.empty()) {
    fprintf(stderr, "mpirun: %s\n", wrong.c_str());
    return own_failure;
  }
  return Controller(options, std::move(job), signals).run();
}
