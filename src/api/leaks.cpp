#include "api/leaks.hpp"

#include <unistd.h>

#include <map>
#include <string>
#include <tuple>

#include "base/settings.hpp"
#include "objects/attribute.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "objects/op.hpp"
#include "objects/origin.hpp"
#include "objects/request.hpp"
#include "objects/session.hpp"
#include "objects/win.hpp"
#include "pt2pt/engine.hpp"
#include "runtime/job.hpp"

namespace cow::api {
namespace {

// Debug builds always watch, but for those with a sanitizer, whose tests make errors on purpose.
#if defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool always = false;
#else
constexpr bool always = true;
#endif

bool watching = false;

void say(const std::string& text) {
  const std::string line = "[rank " + std::to_string(runtime::job().rank) + "] " + text + "\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

std::string counted(std::size_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string name_of(const Object&) { return {}; }
std::string name_of(const Comm& comm) { return comm.name; }
std::string name_of(const Datatype& type) { return type.name; }
std::string name_of(const Win& win) { return win.name; }

// The objects of one kind that have handles, by who made them.
template <class T>
void report_kind(const char* kind) {
  struct Found {
    std::size_t count = 0;
    std::string names;
  };
  std::map<std::tuple<std::string, const void*>, Found> found;
  table<T>().each([&](const T& object) {
    if (object.predefined()) return;
    const Origin origin = origin_of(object, &table<T>());
    Found& entry = found[{origin.call, origin.address}];
    const std::string name = name_of(object);
    if (!name.empty() && ++entry.count <= 3)
      entry.names += (entry.names.empty() ? " \"" : ", \"") + name + "\"";
    else if (name.empty())
      ++entry.count;
  });
  for (const auto& [where, entry] : found) {
    const auto& [call, address] = where;
    say("not freed at MPI_Finalize: " + counted(entry.count, kind) + entry.names +
        (call.empty() ? std::string() : " made by " + call + " at " + describe_address(address)));
  }
}

std::string name_of_context(std::uint64_t context) {
  std::string name = "a communicator that has been freed";
  table<Comm>().each([&](const Comm& comm) {
    if (comm.context == context) name = comm.name.empty() ? "a communicator without a name" : comm.name;
  });
  return name;
}

// Messages of the program: its communicators' own contexts are even, and have none of the upper bits.
bool is_of_program(std::uint64_t context) { return context % 2 == 0 && context >> 60 == 0; }

void report_messages() {
  constexpr int most = 10;
  int told = 0, more = 0;
  pt2pt::engine.unexpected.each([&](const pt2pt::Unexpected& message) {
    if (!is_of_program(message.key.context) || pt2pt::is_withdrawn(message)) return;
    if (told++ >= most) return void(++more);
    say("never received: a message of " + std::to_string(message.size) + " bytes from rank " +
        std::to_string(message.key.source) + ", tag " + std::to_string(message.key.tag) + ", on " +
        name_of_context(message.key.context));
  });
  if (more > 0) say("never received: " + counted(static_cast<std::size_t>(more), "more message"));
}

}  // namespace

void watch_leaks() {
  watching = settings().leaks || always;
  if (watching) record_origins();
}

void report_leaks() {
  if (!watching) return;
  report_kind<Request>("request");
  report_kind<Win>("window");
  report_kind<Comm>("communicator");
  report_kind<Datatype>("datatype");
  report_kind<Op>("operation");
  report_kind<Group>("group");
  report_kind<Info>("info object");
  report_kind<Errhandler>("error handler");
  report_kind<Session>("session");
  if (const int keyvals = keyvals_in_use())
    say("not freed at MPI_Finalize: " + counted(static_cast<std::size_t>(keyvals), "attribute key"));
  report_messages();
}

}  // namespace cow::api
