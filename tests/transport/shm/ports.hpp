// For tests of shared memory: ports of several processes over one segment.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <utility>

#include "base/clock.hpp"
#include "transport/shm/shm_port.hpp"

namespace cow::transport {

inline constexpr SipKey test_key{1, 2};
inline constexpr Nanoseconds patience = 20 * second;

inline ShmPort::Place place_of(std::uint32_t index, std::uint32_t count) {
  ShmPort::Place place;
  place.identity = {77, 3, count, test_key};
  place.index = index;
  place.rank = 10 + index;
  place.window = 1000 + index;
  return place;
}

inline void require(bool good, const char* what) {
  if (good) return;
  printf("process %d: %s (%s)\n", getpid(), what, last_failure());
  fflush(stdout);
  _exit(1);
}

// Runs `body(index, port)` in `count` processes over one segment; true when all of them came to their end.
inline bool run(std::uint32_t count, const std::function<void(std::uint32_t, ShmPort&)>& body, bool copying = true,
                bool helping = true) {
  const int segment = memfd_create("test-node", 0);
  std::vector<pid_t> children;
  for (std::uint32_t index = 0; index < count; ++index) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves nobody spinning
      ShmPort port;
      ShmPort::Place place = place_of(index, count);
      place.copying = copying;
      place.helping = helping;
      require(!port.open(dup(segment), place), "open");
      body(index, port);
      _exit(0);
    }
    children.push_back(child);
  }
  close(segment);
  bool good = true;
  for (pid_t child : children) {
    int status;
    waitpid(child, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return good;
}

inline shm::Link& reach(ShmPort& port, std::uint32_t index) {
  const Nanoseconds limit = now() + patience;
  while (port.presence(index) == shm::Presence::unknown) {
    require(now() < limit, "the other does not come");
    usleep(100);
  }
  shm::Link* link;
  require(!port.reach(index, link), "reach");
  return *link;
}

inline void send(ShmPort& port, shm::Link& link, std::int32_t tag, const void* bytes, std::size_t size) {
  const Nanoseconds limit = now() + patience;
  Error error;
  while (port.send(link, {wire::Kind::eager, 5, 6, tag}, 0, nullptr, 0, {.bytes = bytes, .size = size}, error) !=
         Post::done) {
    require(!error && now() < limit, "no room");
    sched_yield();
  }
}

// What transport/local_peers.cpp does with a message of this kind.
inline void help(ShmPort& port, shm::Link& link, const std::byte* body, std::size_t size) {
  wire::Help wanted;
  require(size == sizeof wanted, "size of a call for help");
  memcpy(&wanted, body, size);
  port.help(link, wanted);
}

// Polls until `count` messages have come, those that came before their time included; deliver(link, head, body, size).
inline std::size_t early = 0;
template <class Deliver>
void receive(ShmPort& port, std::size_t count, Deliver deliver, bool sleeping = false) {
  const Nanoseconds limit = now() + patience;
  std::size_t seen = std::exchange(early, 0);
  while (seen < count) {
    port.poll_with([&](shm::Link& link, const wire::Header& head, const std::byte* body, std::size_t size) {
      if (head.kind == wire::Kind::help) return help(port, link, body, size);
      ++seen;
      deliver(link, head, body, size);
    });
    require(now() < limit, "messages are missing");
    if (seen >= count) break;
    if (!sleeping) {
      sched_yield();
      continue;
    }
    if (port.may_sleep()) port.sleep(second);
    port.awake();
  }
  early = seen - count;
}

inline void poll(ShmPort& port) {
  port.poll_with([&](shm::Link& link, const wire::Header& head, const std::byte* body, std::size_t size) {
    if (head.kind == wire::Kind::help) return help(port, link, body, size);
    ++early;
  });
}

struct Ended : Completion {
  Ended() {
    done = [](Completion& completion, Error error) {
      static_cast<Ended&>(completion).over = true;
      static_cast<Ended&>(completion).code = error.code();
    };
  }
  bool over = false;
  int code = -1;
};

}  // namespace cow::transport
