#include "launcher/pmix/pmix_loader.hpp"

#include <dlfcn.h>
#include <pmix_version.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "launcher/placement/hosts.hpp"

namespace cow::launch {
namespace {

std::string module_path() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  const std::string self(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return self.substr(0, self.rfind('/') + 1) + "cow-pmix.so";
}

// The port in "PMIX_SERVER_URI4=pmix-server.71;tcp4://127.0.0.1:36623", and whether it is the URI of `server`.
std::uint16_t port_in(std::string_view entry, const std::string& server) {
  const std::size_t equals = entry.find('=');
  if (!entry.starts_with("PMIX_SERVER_URI") || !entry.substr(equals + 1).starts_with(server)) return 0;
  return static_cast<std::uint16_t>(atoi(std::string(entry.substr(entry.rfind(':') + 1)).c_str()));
}

std::string server_name() { return "pmix-server." + std::to_string(getpid()) + ";tcp4://127.0.0.1:"; }

}  // namespace

PmixLoader::PmixLoader(Loop& loop, PmixClientEvents& events, Started started)
    : loop_(loop), events_(events), started_(std::move(started)), admission_(loop, [this] { return port(); }) {}

std::string PmixLoader::open(const Job& job) {
  job_ = &job;
  const auto ranks = static_cast<std::size_t>(
      std::count_if(job.ranks.begin(), job.ranks.end(), [&](const Place& place) { return place.node == job.node; }));
  low_ = LowDescriptors(descriptors_kept_low(ranks));
  return admission_.open(job.name, ranks);
}

// What PMIx itself would set for them (PMIx_server_setup_fork), which can be asked only when it runs. Versions 4 and 5 set the
// same.
std::vector<std::string> PmixLoader::rank_environment(std::uint32_t rank) const {
  std::vector<std::string> out{"PMIX_NAMESPACE=" + job_->name,
                               "PMIX_RANK=" + std::to_string(rank),
                               "PMIX_SECURITY_MODE=native",
                               "PMIX_BFROP_BUFFER_TYPE=PMIX_BFROP_BUFFER_NON_DESC",
                               "PMIX_GDS_MODULE=hash",
                               "PMIX_MCA_gds=hash",
                               "PMIX_HOSTNAME=" + this_host(),
                               "PMIX_VERSION=" + std::to_string(PMIX_VERSION_MAJOR) + "." +
                                   std::to_string(PMIX_VERSION_MINOR) + "." + std::to_string(PMIX_VERSION_RELEASE)};
  for (const char* version : {"2", "21", "3", "4", "41"}) {
    out.push_back(std::string("PMIX_SERVER_URI") + version + "=" + server_name() + std::to_string(admission_.port()));
  }
  return out;
}

std::uint16_t PmixLoader::port() {
  if (!std::exchange(tried_, true)) started_(start());
  return port_;
}

std::string PmixLoader::start() {
  low_ = LowDescriptors();  // free, for PMIx
  const std::string path = module_path();
  // For all to see, because PMIx's own modules look for its functions there.
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!module) return std::string("PMIx: ") + dlerror();
  auto* const make = reinterpret_cast<StartPmix*>(dlsym(module, start_pmix_name));
  if (!make) return "PMIx: " + path + " is something else";
  std::string wrong;
  server_.reset(make(loop_, events_, wrong));
  if (!server_) return wrong;
  if (wrong = server_->register_job(*job_); !wrong.empty()) return wrong;
  for (std::uint32_t rank = 0; rank < job_->ranks.size(); ++rank) {
    if (job_->ranks[rank].node != job_->node) continue;
    for (const std::string& entry : server_->rank_environment(rank)) {
      if (const std::uint16_t port = port_in(entry, server_name())) port_ = port;
    }
    break;
  }
  return port_ ? std::string() : "PMIx: the server does not listen where its ranks look for it";
}

}  // namespace cow::launch
