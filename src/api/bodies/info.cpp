// Info.
#include "objects/info.hpp"

#include <algorithm>
#include <cstring>

#include "api/bodies.hpp"

namespace cow {
namespace {

Error check_key(const char* key) {
  const std::size_t length = strlen(key);
  if (length == 0) return fail(ErrorClass::info_key, "the key is empty");
  if (length >= MPI_MAX_INFO_KEY)
    return fail(ErrorClass::info_key, "the key has %zu characters, at most %d are allowed", length,
                MPI_MAX_INFO_KEY - 1);
  return success;
}

Error check_writable(const Info& info) {
  return info.read_only ? fail(ErrorClass::info, "MPI_INFO_ENV cannot be changed") : success;
}

// At most `room` bytes with the terminating zero.
void copy_value(const std::string& value, std::size_t room, char* out) {
  const std::size_t length = std::min(value.size(), room - 1);
  std::memcpy(out, value.data(), length);
  out[length] = '\0';
}

}  // namespace

Error body::Info_create(MPI_Info* info) { return give_info({}, info); }

Error body::Info_create_env(int argc, char** argv, MPI_Info* info) {
  InfoEntries made = info_env();
  if (argc > 0 && argv && argv[0]) {
    made.set("command", std::string_view(argv[0]).substr(0, MPI_MAX_INFO_VAL - 1));
    std::string arguments;
    for (int i = 1; i < argc && argv[i]; ++i) (arguments += i > 1 ? " " : "") += argv[i];
    made.erase("argv");
    if (!arguments.empty()) made.set("argv", std::string_view(arguments).substr(0, MPI_MAX_INFO_VAL - 1));
  }
  return give_info(std::move(made), info);
}

Error body::Info_dup(Info* info, MPI_Info* newinfo) { return give_info(*info, newinfo); }

Error body::Info_free(MPI_Info* info) {
  Info& freed = *find(*info);
  if (freed.read_only) return fail(ErrorClass::info, "MPI_INFO_ENV cannot be freed");
  table<Info>().erase(freed);
  release(freed);
  *info = MPI_INFO_NULL;
  return success;
}

Error body::Info_set(Info* info, const char* key, const char* value) {
  if (const Error error = check_writable(*info)) return error;
  if (const Error error = check_key(key)) return error;
  const std::size_t length = strlen(value);
  if (length >= MPI_MAX_INFO_VAL)
    return fail(ErrorClass::info_value, "the value of \"%s\" has %zu characters, at most %d are allowed", key, length,
                MPI_MAX_INFO_VAL - 1);
  info->set(key, value);
  return success;
}

Error body::Info_delete(Info* info, const char* key) {
  if (const Error error = check_writable(*info)) return error;
  if (const Error error = check_key(key)) return error;
  if (!info->erase(key)) return fail(ErrorClass::info_nokey, "there is no key \"%s\"", key);
  return success;
}

Error body::Info_get_nkeys(Info* info, int* nkeys) {
  *nkeys = static_cast<int>(info->entries.size());
  return success;
}

Error body::Info_get_nthkey(Info* info, int n, char* key) {
  const auto keys = static_cast<int>(info->entries.size());
  if (n < 0 || n >= keys) return fail(ErrorClass::arg, "there is no key number %d: the info has %d keys", n, keys);
  copy_value(info->entries[static_cast<std::size_t>(n)].first, MPI_MAX_INFO_KEY, key);
  return success;
}

Error body::Info_get_string(Info* info, const char* key, int* buflen, char* value, int* flag) {
  if (const Error error = check_key(key)) return error;
  if (*buflen < 0) return fail(ErrorClass::arg, "*buflen is %d, must not be negative", *buflen);
  if (*buflen > 0 && !value) return fail(ErrorClass::arg, "value is a null pointer and *buflen is %d", *buflen);
  const std::string* found = info->get(key);
  *flag = found != nullptr;
  if (!found) return success;
  if (*buflen > 0) copy_value(*found, static_cast<std::size_t>(*buflen), value);
  *buflen = static_cast<int>(found->size()) + 1;
  return success;
}

Error body::Info_get(Info* info, const char* key, int valuelen, char* value, int* flag) {
  if (const Error error = check_key(key)) return error;
  if (valuelen < 0) return fail(ErrorClass::arg, "valuelen is %d, must not be negative", valuelen);
  const std::string* found = info->get(key);
  *flag = found != nullptr;
  if (found) copy_value(*found, static_cast<std::size_t>(valuelen) + 1, value);
  return success;
}

Error body::Info_get_valuelen(Info* info, const char* key, int* valuelen, int* flag) {
  if (const Error error = check_key(key)) return error;
  const std::string* found = info->get(key);
  *flag = found != nullptr;
  if (found) *valuelen = static_cast<int>(found->size());
  return success;
}

}  // namespace cow
