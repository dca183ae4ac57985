#include "transport/shm/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cow::transport::shm {
namespace {

// Sets a field that nobody has set, or checks that whoever did wrote the same.
bool agree(std::atomic<std::uint64_t>& field, std::uint64_t value) {
  std::uint64_t found = 0;
  return field.compare_exchange_strong(found, value) || found == value;
}

// A file larger than the limit would bring SIGXFSZ upon this process.
bool too_large_for_limit(std::size_t size) {
  rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < size;
}

// Every rank asks for the same size; a segment that somebody else made to another purpose has another.
Error set_size(int descriptor, std::size_t size) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return fail(ErrorClass::other, "the segment is gone: %s", strerror(errno));
  if (!S_ISREG(status.st_mode)) return fail(ErrorClass::other, "the segment is not a file");
  if (static_cast<std::size_t>(status.st_size) == size) return success;
  if (status.st_size != 0)
    return fail(ErrorClass::other, "the segment has %lld bytes instead of %zu", static_cast<long long>(status.st_size),
                size);
  if (too_large_for_limit(size))
    return fail(ErrorClass::other, "the limit of file sizes (ulimit -f) is below the segment's %zu bytes", size);
  if (ftruncate(descriptor, static_cast<off_t>(size)) != 0)
    return fail(ErrorClass::other, "the segment cannot have %zu bytes: %s", size, strerror(errno));
  return success;
}

std::uint64_t seal_of(const Identity& identity, std::uint64_t shape) {
  SipHash hash(identity.key);
  const std::uint64_t fields[] = {segment_magic, identity.job, shape, identity.node};
  hash.add(fields, sizeof fields);
  return hash.finish();
}

}  // namespace

Segment::~Segment() {
  for (Fifo* fifo : fifos_) munmap(fifo, fifo_stride);
  if (base_) munmap(base_, plan_.rank_entries_size);
  if (descriptor_ >= 0) close(descriptor_);
}

Error Segment::open(int descriptor, const Identity& identity) {
  descriptor_ = descriptor;
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  plan_ = Plan(identity.count);
  if (Error error = set_size(descriptor, plan_.total)) return error;
  if (Error error = reserve(0, plan_.rank_entries_size)) return error;
  void* base = mmap(nullptr, plan_.rank_entries_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (base == MAP_FAILED)
    return fail(ErrorClass::no_mem, "cannot map the segment that the ranks of this node share: %s", strerror(errno));
  base_ = static_cast<std::byte*>(base);
  return check(identity);
}

Error Segment::check(const Identity& identity) {
  auto& head = *at<SegmentHead>(0);
  const std::uint64_t shape = std::uint64_t{identity.count} << 32 | std::uint64_t{line_count} << 16 | data_units;
  if (!agree(head.magic, segment_magic))
    return fail(ErrorClass::other, "the segment is not one of this version of COW MPI");
  if (!agree(head.job, identity.job)) return fail(ErrorClass::other, "the segment belongs to another job");
  if (!agree(head.shape, shape)) return fail(ErrorClass::other, "the segment was made for another number of ranks");
  if (!agree(head.seal, seal_of(identity, shape)))
    return fail(ErrorClass::other, "the segment was not made with this job's key");
  return success;
}

Error Segment::reserve(std::size_t offset, std::size_t size) {
  int status;
  do {
    status = fallocate(descriptor_, 0, static_cast<off_t>(offset), static_cast<off_t>(size));
  } while (status != 0 && errno == EINTR);
  if (status == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return success;
  return fail(ErrorClass::no_mem, "no memory for %zu bytes that the ranks of this node share: %s", size,
              strerror(errno));
}

Error Segment::map_fifo(std::uint32_t receiver, std::uint32_t sender, Fifo*& out) {
  void* place = mmap(nullptr, fifo_stride, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_,
                     static_cast<off_t>(plan_.fifo(receiver, sender)));
  if (place == MAP_FAILED)
    return fail(ErrorClass::no_mem, "cannot map the memory shared with a rank of this node: %s", strerror(errno));
  out = static_cast<Fifo*>(place);
  fifos_.push_back(out);
  return success;
}

Error Segment::reserve_fifo(std::uint32_t receiver, std::uint32_t sender, std::size_t from, std::size_t to) {
  return reserve(plan_.fifo(receiver, sender) + from, to - from);
}

}  // namespace cow::transport::shm
