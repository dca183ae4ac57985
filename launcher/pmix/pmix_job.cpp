#include "launcher/pmix/pmix_job.hpp"

#include <pmix_server.h>
#include <stdlib.h>

#include <algorithm>
#include <string>

namespace cow::launch {
namespace {

using std::string;

class Infos {
 public:
  void add_u32(const char* key, std::uint32_t value) { add(key, &value, PMIX_UINT32); }
  void add_u16(const char* key, std::uint16_t value) { add(key, &value, PMIX_UINT16); }
  void add_rank(const char* key, std::uint32_t value) {
    const pmix_rank_t rank = value;
    add(key, &rank, PMIX_PROC_RANK);
  }
  void add_text(const char* key, const string& value) { add(key, value.c_str(), PMIX_STRING); }

  // The elements so far become one info that holds them as an array.
  pmix_info_t as_array(const char* key) && {
    pmix_data_array_t* array;
    const std::size_t elements = list_.size();
    PMIX_DATA_ARRAY_CREATE(array, elements, PMIX_INFO);
    std::copy(list_.begin(), list_.end(), static_cast<pmix_info_t*>(array->array));
    pmix_info_t out;
    PMIX_INFO_CONSTRUCT(&out);
    PMIX_LOAD_KEY(out.key, key);
    out.value.type = PMIX_DATA_ARRAY;
    out.value.data.darray = array;
    return out;
  }

  void add(pmix_info_t info) { list_.push_back(info); }
  std::vector<pmix_info_t> take() { return std::move(list_); }

 private:
  void add(const char* key, const void* value, pmix_data_type_t type) {
    pmix_info_t info;
    PMIX_INFO_CONSTRUCT(&info);
    PMIX_INFO_LOAD(&info, key, value, type);
    list_.push_back(info);
  }
  std::vector<pmix_info_t> list_;
};

string joined(const std::vector<string>& parts, char separator) {
  string out;
  for (const string& part : parts) {
    if (&part != parts.data()) out += separator;
    out += part;
  }
  return out;
}

// Node names as PMIx's maps need them: unique, and without the characters that separate its lists.
std::vector<string> map_names(const Job& job) {
  std::vector<string> out = job.nodes;
  for (string& name : out) std::replace_if(name.begin(), name.end(), [](char c) { return c == ',' || c == ';'; }, '_');
  return out;
}

std::vector<string> ranks_of_nodes(const Job& job) {
  std::vector<string> out(job.nodes.size());
  for (std::size_t rank = 0; rank < job.ranks.size(); ++rank) {
    string& list = out[job.ranks[rank].node];
    if (!list.empty()) list += ',';
    list += std::to_string(rank);
  }
  return out;
}

void add_maps(Infos& infos, const Job& job, const std::vector<string>& ranks) {
  char* text = nullptr;
  if (PMIx_generate_regex(joined(map_names(job), ',').c_str(), &text) == PMIX_SUCCESS) {
    infos.add_text(PMIX_NODE_MAP, text);
    free(text);
  }
  text = nullptr;
  if (PMIx_generate_ppn(joined(ranks, ';').c_str(), &text) == PMIX_SUCCESS) {
    infos.add_text(PMIX_PROC_MAP, text);
    free(text);
  }
}

// What there is to know of each node: PMIx looks here when a rank asks for the node number of a rank elsewhere.
void add_nodes(Infos& infos, const Job& job, const std::vector<string>& ranks) {
  for (std::uint32_t node = 0; node < job.nodes.size(); ++node) {
    Infos one;
    one.add_u32(PMIX_NODEID, node);
    one.add_text(PMIX_HOSTNAME, job.nodes[node]);
    one.add_text(PMIX_LOCAL_PEERS, ranks[node]);
    const auto size = static_cast<std::uint32_t>(std::count(ranks[node].begin(), ranks[node].end(), ',') + 1);
    one.add_u32(PMIX_LOCAL_SIZE, size);
    one.add_u32(PMIX_NODE_SIZE, size);
    infos.add(std::move(one).as_array(PMIX_NODE_INFO_ARRAY));
  }
}

void add_ranks(Infos& infos, const Job& job) {
  std::vector<std::uint16_t> next_local(job.nodes.size());
  std::vector<std::uint32_t> next_of_application(job.applications.size());
  for (std::uint32_t rank = 0; rank < job.ranks.size(); ++rank) {
    const Place& place = job.ranks[rank];
    Infos one;
    const std::uint16_t local = next_local[place.node]++;
    one.add_rank(PMIX_RANK, rank);
    one.add_rank(PMIX_GLOBAL_RANK, rank);
    one.add_rank(PMIX_APP_RANK, next_of_application[place.application]++);
    one.add_u32(PMIX_APPNUM, place.application);
    one.add_u16(PMIX_LOCAL_RANK, local);
    one.add_u16(PMIX_NODE_RANK, local);
    one.add_u32(PMIX_NODEID, place.node);
    one.add_text(PMIX_HOSTNAME, job.nodes[place.node]);
    infos.add(std::move(one).as_array(PMIX_PROC_DATA));
  }
}

}  // namespace

JobInfo describe_job(const Job& job) {
  const auto size = static_cast<std::uint32_t>(job.ranks.size());
  const std::vector<string> ranks = ranks_of_nodes(job);
  const auto local = static_cast<std::uint32_t>(
      std::count_if(job.ranks.begin(), job.ranks.end(), [&](const Place& p) { return p.node == job.node; }));
  Infos infos;
  infos.add_u32(PMIX_UNIV_SIZE, size);
  infos.add_u32(PMIX_JOB_SIZE, size);
  infos.add_u32(PMIX_MAX_PROCS, size);
  infos.add_u32(PMIX_JOB_NUM_APPS, static_cast<std::uint32_t>(job.applications.size()));
  infos.add_u32(PMIX_NUM_NODES, static_cast<std::uint32_t>(job.nodes.size()));
  infos.add_text(PMIX_JOBID, job.name);
  infos.add_u32(PMIX_LOCAL_SIZE, local);
  infos.add_u32(PMIX_NODE_SIZE, local);
  infos.add_text(PMIX_LOCAL_PEERS, ranks[job.node]);
  infos.add_u32(PMIX_NODEID, job.node);
  infos.add_text(PMIX_HOSTNAME, job.nodes[job.node]);
  add_maps(infos, job, ranks);
  add_nodes(infos, job, ranks);
  add_ranks(infos, job);
  return JobInfo(infos.take());
}

}  // namespace cow::launch
