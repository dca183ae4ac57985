#include "objects/origin.hpp"

#include <dlfcn.h>
#include <unwind.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

namespace cow {

void (*handle_made)(const Object& object, const void* table) = nullptr;

namespace {

struct Walk {
  const void* own_base = nullptr;
  const void* outermost = nullptr;  // the last address within this library
  const void* caller = nullptr;     // the first outside, after it
};

const void* base_of(const void* address) {
  Dl_info info;
  return dladdr(address, &info) ? info.dli_fbase : nullptr;
}

_Unwind_Reason_Code step(_Unwind_Context* context, void* state) {
  auto& walk = *static_cast<Walk*>(state);
  // The address before the one to return to: that one may belong to the next function.
  const auto address = reinterpret_cast<const char*>(_Unwind_GetIP(context));
  if (!address) return _URC_END_OF_STACK;
  if (base_of(address - 1) == walk.own_base)
    walk.outermost = address - 1;
  else if (walk.outermost)
    return walk.caller = address, _URC_END_OF_STACK;
  return _URC_NO_REASON;
}

using Key = std::pair<const void*, std::uint32_t>;  // a table and an index in it, which later objects have again
std::map<Key, Origin>& origins() {
  static auto& all = *new std::map<Key, Origin>;
  return all;
}

void keep_origin(const Object& object, const void* table) { origins()[{table, object.index}] = present_origin(); }

const char* file_name(const char* path) {
  const char* slash = path ? strrchr(path, '/') : nullptr;
  return slash ? slash + 1 : path ? path : "?";
}

}  // namespace

Origin present_origin() {
  Walk walk;
  walk.own_base = base_of(reinterpret_cast<const void*>(&present_origin));
  _Unwind_Backtrace(step, &walk);
  Dl_info info;
  if (!walk.caller || !dladdr(walk.outermost, &info) || !info.dli_sname) return {};
  const char* name = info.dli_sname;
  return {name[0] == 'P' ? name + 1 : name, walk.caller};
}

std::string describe_address(const void* address) {
  Dl_info info;
  if (!address || !dladdr(static_cast<const char*>(address) - 1, &info)) return "an unknown place";
  const char* file = file_name(info.dli_fname);
  const auto offset = [&](const void* from) {
    return static_cast<std::size_t>(static_cast<const char*>(address) - static_cast<const char*>(from));
  };
  char text[512];
  if (info.dli_sname)
    snprintf(text, sizeof text, "%.200s+0x%zx (%.200s)", info.dli_sname, offset(info.dli_saddr), file);
  else
    snprintf(text, sizeof text, "%.200s+0x%zx", file, offset(info.dli_fbase));
  return text;
}

void record_origins() { handle_made = keep_origin; }

Origin origin_of(const Object& object, const void* table) {
  const auto found = origins().find({table, object.index});
  return found == origins().end() ? Origin{} : found->second;
}

}  // namespace cow
