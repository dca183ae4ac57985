#include "runtime/inherited.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/agent_wire.hpp"
#include "runtime/agent_line.hpp"

namespace cow::runtime {
namespace {

int memory = -1;

const char* variable(const char* name) {
  const char* value = getenv(name);
  return value && *value ? value : nullptr;
}

// Variables of an outer job say nothing of this one.
bool is_of_this_job() {
  const char* agent = variable("COW_AGENT");
  const char* colon = agent ? strchr(agent, ':') : nullptr;
  const char* job = variable("PMIX_NAMESPACE");
  return job && (!colon || strcmp(colon + 1, job) == 0);
}

// The descriptor that a variable names, if it still is the file in memory that the launcher opened under this name.
int inherited(const char* name, const char* file) {
  const char* text = variable(name);
  if (!text || !is_of_this_job()) return -1;
  const int descriptor = atoi(text);
  char path[64], target[64] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  if (readlink(path, target, sizeof target - 1) <= 0) return -1;
  if (target != "/memfd:" + std::string(file) + " (deleted)") return -1;
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // no business of programs that this one starts
  return descriptor;
}

// What started this process, for people: "python3, process 12".
std::string parent() {
  char path[64], name[64] = "";
  snprintf(path, sizeof path, "/proc/%d/comm", getppid());
  if (FILE* const file = fopen(path, "re")) {
    if (!fgets(name, sizeof name, file)) name[0] = '\0';
    fclose(file);
  }
  name[strcspn(name, "\n")] = '\0';
  return std::string(*name ? name : "a program") + ", process " + std::to_string(getppid());
}

}  // namespace

bool has_inheritance() { return variable("COW_KEY_FD") && is_of_this_job(); }

bool take_key(bool by_line, SipKey& out) {
  const int descriptor = inherited("COW_KEY_FD", key_file);
  if (descriptor >= 0 && pread(descriptor, &out, sizeof out, 0) == sizeof out) return true;
  return by_line && agent_line::ask_key(out);
}

void take_memory(bool by_line) {
  memory = inherited("COW_SHM_FD", memory_file);
  if (memory < 0 && by_line && variable("COW_SHM_FD")) memory = agent_line::ask_memory();
}

Error shared_memory_of_node(int& descriptor) {
  descriptor = std::exchange(memory, -1);
  return descriptor < 0 && variable("COW_SHM_FD") && is_of_this_job() ? inheritance_is_lost() : success;
}

Error inheritance_is_lost() {
  const char* key = variable("COW_KEY_FD");
  const char* shared = variable("COW_SHM_FD");
  return fail(ErrorClass::other,
              "a program between mpirun and this one closed the descriptors that mpirun gives to each rank "
              "(COW_KEY_FD=%s%s%s), and "
              "the launcher does not give them to this process again: it must run as the user of mpirun, below the "
              "process that "
              "mpirun started, and with COW_AGENT unchanged; this one was started by %s",
              key ? key : "", shared ? ", COW_SHM_FD=" : "", shared ? shared : "", parent().c_str());
}

}  // namespace cow::runtime
