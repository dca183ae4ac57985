// Memory that some ranks of a node share beside the segment: one of them makes it and offers it to the others, who may be
// any that can exchange the few bytes of the offer. It has no name in any file system and is gone when the last who has
// mapped it is gone, however it ended.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "transport/shm/layout.hpp"

namespace cow::transport::shm {

// How the others find the file. Plain bytes, to be sent.
struct Offer {
  std::int32_t process = -1;  // -1: there is none
  std::int32_t descriptor = -1;
  std::uint64_t secret[2] = {};  // what the file begins with, so that nobody takes another one for it
};

// A mapping of the whole. The first page belongs to this class, the rest is zero at first.
class SharedFile {
 public:
  static constexpr std::size_t reserved = page_size;

  SharedFile() = default;
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;
  ~SharedFile();

  // Of the maker. The file can be opened by the others until close_file().
  Error make(std::size_t bytes, Offer& out);
  Error open(std::size_t bytes, const Offer& offer);
  void close_file();

  std::byte* memory() const { return memory_; }
  std::size_t size() const { return memory_ ? bytes_ : 0; }

  // Makes a part of it exist now: a page that the kernel cannot provide when it is first written would be a SIGBUS.
  Error reserve(std::size_t from, std::size_t to);

 private:
  Error map(std::size_t bytes);

  int descriptor_ = -1;
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace cow::transport::shm
