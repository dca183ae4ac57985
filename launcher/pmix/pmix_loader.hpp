// PMIx for ranks that want it: its port and the environment of its ranks are there from the beginning, and the server
// (pmix_server.hpp) when the first of them connects.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "launcher/core/job.hpp"
#include "launcher/pmix/low_descriptors.hpp"
#include "launcher/pmix/pmix_admission.hpp"
#include "launcher/pmix/pmix_server.hpp"

namespace cow::launch {

class PmixLoader {
 public:
  // `started` is called when the server is there, or with what went wrong.
  using Started = std::function<void(const std::string& wrong)>;
  PmixLoader(Loop& loop, PmixClientEvents& events, Started started);

  std::string open(const Job& job);  // what went wrong; empty when nothing did. `job` lives longer than this
  std::vector<std::string> rank_environment(std::uint32_t rank) const;
  PmixServer* server() const { return server_.get(); }  // null: nobody has asked for it yet

 private:
  std::uint16_t port();
  std::string start();

  Loop& loop_;
  PmixClientEvents& events_;
  Started started_;
  PmixAdmission admission_;
  LowDescriptors low_;
  const Job* job_ = nullptr;
  std::unique_ptr<PmixServer> server_;
  bool tried_ = false;
  std::uint16_t port_ = 0;  // of PMIx's own listener
};

}  // namespace cow::launch
