#include "launcher/core/rank_names.hpp"

namespace cow::launch {

std::vector<std::string> name_rank(const RankNumbers& numbers, const std::string& whose) {
  const auto& [rank, size, local_rank, local_size] = numbers;
  std::vector<std::string> out;
  const auto add = [&](const char* name, std::uint32_t value) {
    out.push_back(std::string(name) + "=" + std::to_string(value));
  };
  if (whose == "all" || whose == "openmpi") {
    add("OMPI_COMM_WORLD_RANK", rank);
    add("OMPI_COMM_WORLD_SIZE", size);
    add("OMPI_COMM_WORLD_LOCAL_RANK", local_rank);
    add("OMPI_COMM_WORLD_LOCAL_SIZE", local_size);
    add("OMPI_COMM_WORLD_NODE_RANK",
        local_rank);  // among all jobs of the node, says Open MPI; jobs do not know each other
  }
  if (whose == "all" || whose == "mpich") {
    add("PMI_RANK", rank);
    add("PMI_SIZE", size);
    add("MPI_LOCALRANKID", local_rank);
    add("MPI_LOCALNRANKS", local_size);
  }
  return out;
}

}  // namespace cow::launch
