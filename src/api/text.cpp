#include "api/text.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "objects/comm.hpp"
#include "objects/datatype.hpp"

namespace cow::api {
namespace {

// Appends to a buffer of fixed size and remembers when it is full.
class Writer {
 public:
  Writer(char* out, std::size_t size) : out_(out), size_(size) { out_[0] = '\0'; }

  __attribute__((format(printf, 2, 3))) void add(const char* format, ...) {
    if (used_ >= size_) return;
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(out_ + used_, size_ - used_, format, arguments);
    va_end(arguments);
    if (wanted > 0) used_ += static_cast<std::size_t>(wanted);
  }

  // Marks the end of a text that did not fit.
  void close() {
    static constexpr char mark[] = "\xE2\x80\xA6)";
    if (used_ >= size_) memcpy(out_ + size_ - sizeof mark, mark, sizeof mark);
  }

 private:
  char* out_;
  std::size_t size_;
  std::size_t used_ = 0;
};

void add_pointer(Writer& out, Word word) {
  if (word == 0)
    out.add("NULL");
  else
    out.add("0x%llx", static_cast<unsigned long long>(word));
}

void add_buffer(Writer& out, Word word) {
  if (word == reinterpret_cast<std::uintptr_t>(MPI_BOTTOM))
    out.add("MPI_BOTTOM");
  else if (word == reinterpret_cast<std::uintptr_t>(MPI_IN_PLACE))
    out.add("MPI_IN_PLACE");
  else if (word == reinterpret_cast<std::uintptr_t>(MPI_BUFFER_AUTOMATIC))
    out.add("MPI_BUFFER_AUTOMATIC");
  else
    add_pointer(out, word);
}

void add_rank(Writer& out, Word word) {
  switch (static_cast<std::int64_t>(word)) {
    case MPI_ANY_SOURCE: out.add("MPI_ANY_SOURCE"); break;
    case MPI_PROC_NULL: out.add("MPI_PROC_NULL"); break;
    case MPI_ROOT: out.add("MPI_ROOT"); break;
    default: out.add("%lld", static_cast<long long>(word));
  }
}

void add_string(Writer& out, Word word) {
  if (word == 0)
    out.add("NULL");
  else
    out.add("\"%.64s\"", reinterpret_cast<const char*>(word));
}

// A handle: the name of what it stands for, else its number.
void add_handle(Writer& out, Kind kind, Word word) {
  if (kind == Kind::comm) {
    const Comm* comm = find(reinterpret_cast<MPI_Comm>(word));
    if (comm && !comm->name.empty()) return out.add("%.64s", comm->name.c_str());
  } else if (kind == Kind::datatype) {
    const Datatype* type = find(reinterpret_cast<MPI_Datatype>(word));
    if (type && !type->name.empty()) return out.add("%.64s", type->name.c_str());
  }
  if (const char* name = predefined_name(word)) return out.add("%s", name);
  add_pointer(out, word);
}

void add_argument(Writer& out, Kind kind, Word word) {
  switch (kind) {
    case Kind::integer: out.add("%lld", static_cast<long long>(word)); break;
    case Kind::pointer: add_pointer(out, word); break;
    case Kind::buffer: add_buffer(out, word); break;
    case Kind::rank: add_rank(out, word); break;
    case Kind::tag:
      if (static_cast<std::int64_t>(word) == MPI_ANY_TAG)
        out.add("MPI_ANY_TAG");
      else
        out.add("%lld", static_cast<long long>(word));
      break;
    case Kind::string: add_string(out, word); break;
    case Kind::status: word ? add_pointer(out, word) : out.add("MPI_STATUS_IGNORE"); break;
    case Kind::statuses: word ? add_pointer(out, word) : out.add("MPI_STATUSES_IGNORE"); break;
    default: add_handle(out, kind, word);
  }
}

}  // namespace

void describe_call(Signature signature, const Word* words, char* out, std::size_t size) {
  Writer writer(out, size);
  const char* rest = signature + strcspn(signature, " ");
  writer.add("%.*s(", static_cast<int>(rest - signature), signature);
  for (int i = 0; *rest; ++i) {
    const Kind kind{rest[1]};
    const char* name = rest + 3;
    rest = name + strcspn(name, " ");
    writer.add("%s%.*s=", i ? ", " : "", static_cast<int>(rest - name), name);
    add_argument(writer, kind, words[i]);
  }
  writer.add(")");
  writer.close();
}

const char* name_of(const Comm& comm) {
  if (!comm.name.empty()) return comm.name.c_str();
  const char* name = predefined_name(comm.handle());
  return name ? name : "the communicator";
}

}  // namespace cow::api
