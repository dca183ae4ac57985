// The job in PMIx's terms: the infos that a server registers for a namespace.
#pragma once

#include <pmix_common.h>

#include <cstddef>
#include <vector>

#include "launcher/core/job.hpp"

namespace cow::launch {

// Owns an array of pmix_info_t.
class JobInfo {
 public:
  explicit JobInfo(std::vector<pmix_info_t> infos) : infos_(std::move(infos)) {}
  JobInfo(JobInfo&&) = default;
  JobInfo& operator=(JobInfo&&) = delete;
  ~JobInfo() {
    for (pmix_info_t& info : infos_) PMIX_INFO_DESTRUCT(&info);
  }
  pmix_info_t* data() { return infos_.data(); }
  std::size_t size() const { return infos_.size(); }

 private:
  std::vector<pmix_info_t> infos_;
};

JobInfo describe_job(const Job& job);

}  // namespace cow::launch
