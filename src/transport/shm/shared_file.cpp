#include "transport/shm/shared_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // since Linux 5.14
#endif

namespace cow::transport::shm {
namespace {

Error cannot(const char* what) {
  return fail(ErrorClass::no_mem, "memory to be shared: %s: %s", what, strerror(errno));
}

// A file larger than the limit would bring SIGXFSZ upon this process.
bool too_large_for_limit(std::size_t size) {
  rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < size;
}

}  // namespace

SharedFile::~SharedFile() {
  close_file();
  if (memory_) munmap(memory_, bytes_);
}

void SharedFile::close_file() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

Error SharedFile::map(std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) return cannot("mapping it");
  memory_ = static_cast<std::byte*>(memory);
  bytes_ = bytes;
  return success;
}

Error SharedFile::make(std::size_t bytes, Offer& out) {
  Offer offer;
  if (too_large_for_limit(bytes)) return fail(ErrorClass::no_mem, "memory to be shared: above the limit of file sizes");
  if (getrandom(offer.secret, sizeof offer.secret, 0) != sizeof offer.secret) return cannot("random numbers");
  descriptor_ = memfd_create("cow-shared", MFD_CLOEXEC);
  if (descriptor_ < 0) return cannot("making it");
  if (ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) return cannot("its size");
  if (pwrite(descriptor_, offer.secret, sizeof offer.secret, 0) != static_cast<ssize_t>(sizeof offer.secret))
    return cannot("writing to it");
  if (Error error = map(bytes)) return error;
  offer.process = getpid();
  offer.descriptor = descriptor_;
  out = offer;
  return success;
}

Error SharedFile::open(std::size_t bytes, const Offer& offer) {
  if (offer.process < 0) return fail(ErrorClass::no_mem, "there is no memory to be shared");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", offer.process, offer.descriptor);
  // It could be anything by now, a terminal or a pipe too: nothing may come of looking at it.
  descriptor_ = ::open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) return cannot("opening it");
  struct stat status;
  std::uint64_t secret[2];
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) != bytes ||
      pread(descriptor_, secret, sizeof secret, 0) != static_cast<ssize_t>(sizeof secret) ||
      memcmp(secret, offer.secret, sizeof secret) != 0)
    return fail(ErrorClass::no_mem, "memory to be shared: what was found is something else");
  return map(bytes);
}

Error SharedFile::reserve(std::size_t from, std::size_t to) {
  from = from / page_size * page_size;
  if (madvise(memory_ + from, to - from, MADV_POPULATE_WRITE) == 0) return success;
  if (errno == EINVAL) return success;  // an older kernel: it is hoped for
  return cannot("its pages");
}

}  // namespace cow::transport::shm
