// Process sets that the launcher has named. Not all launchers do, and those that do not may not even answer.
#include <pmix.h>

#include <cstring>
#include <sstream>

#include "runtime/job.hpp"

namespace cow::runtime {
namespace {

// The one answer to a question, given to `use`; nothing when the launcher has none.
template <class Use>
void ask(const char* key, const std::string& set, Use use) {
  if (!PMIx_Initialized()) return;
  pmix_query_t query;
  PMIX_QUERY_CONSTRUCT(&query);
  int status;
  PMIX_ARGV_APPEND(status, query.keys, key);
  if (!set.empty()) {
    PMIX_QUERY_QUALIFIERS_CREATE(&query, 1);
    PMIX_INFO_LOAD(&query.qualifiers[0], PMIX_PSET_NAME, set.c_str(), PMIX_STRING);
  }
  pmix_info_t* answers = nullptr;
  std::size_t count = 0;
  if (status == PMIX_SUCCESS) status = PMIx_Query_info(&query, 1, &answers, &count);
  for (std::size_t i = 0; status == PMIX_SUCCESS && i < count; ++i)
    if (strcmp(answers[i].key, key) == 0) use(answers[i].value);
  if (answers) PMIX_INFO_FREE(answers, count);
  PMIX_QUERY_DESTRUCT(&query);
}

}  // namespace

std::vector<std::string> process_sets() {
  std::vector<std::string> names;
  ask(PMIX_QUERY_PSET_NAMES, {}, [&](const pmix_value_t& value) {
    if (value.type != PMIX_STRING || !value.data.string) return;
    std::istringstream words(value.data.string);
    for (std::string name; std::getline(words, name, ',');)
      if (!name.empty()) names.push_back(name);
  });
  return names;
}

std::vector<std::uint32_t> members_of(const std::string& process_set) {
  std::vector<std::uint32_t> ranks;
  ask(PMIX_QUERY_PSET_MEMBERSHIP, process_set, [&](const pmix_value_t& value) {
    if (value.type != PMIX_DATA_ARRAY || !value.data.darray || value.data.darray->type != PMIX_PROC) return;
    const auto* processes = static_cast<const pmix_proc_t*>(value.data.darray->array);
    for (std::size_t i = 0; i < value.data.darray->size; ++i)
      if (job().name == processes[i].nspace) ranks.push_back(processes[i].rank);  // other jobs' cannot be reached
  });
  return ranks;
}

}  // namespace cow::runtime
