// Why a job hangs: conclusions from what its ranks say they wait for (src/api/why.cpp writes those lines). Knows nothing
// of processes and streams.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

// Sent to mpirun to have a job explained (mpirun --why PID), and by it to the ranks. Ignored by who knows nothing of it.
int why_signal();

class Why {
 public:
  // A line of a rank's report.
  void take(std::uint32_t rank, std::string_view line);

  bool empty() const { return reports_.empty(); }

  // One sentence for each thing that follows; `ranks` is how many the job has.
  std::vector<std::string> conclude(std::uint32_t ranks) const;

 private:
  // What a rank waits for.
  struct Wait {
    bool collective = false;
    int number = 0;          // collective: which one on its communicator
    std::string place;       // the communicator: name and context, which tells those of one name apart
    std::int64_t peer = -1;  // -1: any rank
    std::string terms;       // collective: what must be alike at all ranks: "root 0, 8 bytes"
  };
  struct Report {
    std::string call;
    std::vector<Wait> waits;
  };

  void mismatches(std::vector<std::string>& out) const;
  void cycles(std::vector<std::string>& out) const;
  void absentees(std::uint32_t ranks, std::vector<std::string>& out) const;
  bool find_cycle(std::uint32_t rank, std::vector<std::uint32_t>& path, std::vector<bool>& seen) const;

  std::map<std::uint32_t, Report> reports_;
};

// "rank 3", "ranks 0-6", "ranks 0, 2 and 5-7"
std::string name_ranks(const std::vector<std::uint32_t>& ranks);

}  // namespace cow::launch
