// What sessions tell of process sets.
#include "objects/process_set.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "api/bodies.hpp"
#include "objects/info.hpp"
#include "objects/session.hpp"

namespace cow {

Error body::Session_get_num_psets(Session&, Info*, int* npset_names) {
  *npset_names = static_cast<int>(process_set_names().size());
  return success;
}

Error body::Session_get_nth_pset(Session&, Info*, int n, int* pset_len, char* pset_name) {
  const std::vector<std::string> names = process_set_names();
  if (n < 0 || n >= static_cast<int>(names.size()))
    return fail(ErrorClass::arg, "there is no process set number %d: there are %zu", n, names.size());
  if (*pset_len < 0) return fail(ErrorClass::arg, "*pset_len is %d, must not be negative", *pset_len);
  const std::string& name = names[static_cast<std::size_t>(n)];
  if (*pset_len > 0) {
    if (!pset_name) return fail(ErrorClass::arg, "pset_name is a null pointer and *pset_len is %d", *pset_len);
    const std::size_t length = std::min(name.size(), static_cast<std::size_t>(*pset_len) - 1);
    memcpy(pset_name, name.data(), length);
    pset_name[length] = '\0';
  }
  *pset_len = static_cast<int>(name.size()) + 1;
  return success;
}

Error body::Session_get_pset_info(Session&, const char* pset_name, MPI_Info* out) {
  Group* const group = make_process_set(pset_name);
  if (!group) return fail(ErrorClass::arg, "there is no process set \"%.64s\"", pset_name);
  const int size = group->size();
  release(*group);
  InfoEntries info;
  info.set("mpi_size", std::to_string(size));
  return give_info(std::move(info), out);
}

// The standard answers a name that does not exist with the null handle, not with an error.
Error body::Group_from_session_pset(Session& session, const char* pset_name, MPI_Group* newgroup) {
  Group* const group = make_process_set(pset_name);
  if (!group) return *newgroup = MPI_GROUP_NULL, success;
  group->session = session.handle();
  const Error error = give_handle(group, newgroup);
  release(*group);
  return error;
}

}  // namespace cow
