// Ports of several processes over one segment: messages, waking, reading from each other's memory, and what is refused.
#include <gtest/gtest.h>

#include "ports.hpp"

namespace cow::transport {
namespace {

TEST(ShmPort, EachToEach) {
  constexpr std::uint32_t count = 5, messages = 300;
  EXPECT_TRUE(run(count, [](std::uint32_t me, ShmPort& port) {
    std::vector<char> body(16'000);
    for (std::uint32_t i = 0; i < count; ++i)
      if (i != me) reach(port, i);
    std::vector<std::int32_t> next(count);
    const auto deliver = [&](shm::Link& link, const wire::Header& head, const std::byte* bytes, std::size_t size) {
      require(head.tag == next[link.index]++, "out of order");
      require(size == static_cast<std::size_t>(head.tag * 53 % 16'000), "wrong size");
      for (std::size_t k = 0; k < size; ++k)
        require(static_cast<char>(bytes[k]) == static_cast<char>(link.index + static_cast<std::uint32_t>(head.tag)),
                "wrong byte");
    };
    for (std::uint32_t n = 0; n < messages; ++n) {
      memset(body.data(), static_cast<int>(me + n), body.size());
      for (std::uint32_t to = 0; to < count; ++to)
        if (to != me) send(port, port.link(to), static_cast<std::int32_t>(n), body.data(), n * 53 % 16'000);
      receive(port, count - 1, deliver);
    }
  }));
}

// Each message finds the receiver asleep: were one overlooked, the sleep of a second would show, a thousand times.
TEST(ShmPort, ASleeperIsWoken) {
  constexpr int rounds = 1000;
  const Nanoseconds begin = now();
  EXPECT_TRUE(run(2, [](std::uint32_t me, ShmPort& port) {
    shm::Link& other = reach(port, 1 - me);
    const auto ignore = [](auto&&...) {};
    for (int i = 0; i < rounds; ++i) {
      if (me == 0) send(port, other, i, &i, sizeof i);
      receive(port, 1, ignore, true);
      if (me == 1) send(port, other, i, &i, sizeof i);
    }
  }));
  EXPECT_LT(now() - begin, rounds / 10 * second);
}

TEST(ShmPort, ASenderThatFoundNoRoomIsWoken) {
  constexpr std::uint32_t messages = 5000;
  EXPECT_TRUE(run(2, [](std::uint32_t me, ShmPort& port) {
    shm::Link& other = reach(port, 1 - me);
    char body[3000] = {};
    if (me == 1) return receive(port, messages, [](auto&&...) {}, true);
    const Nanoseconds limit = now() + patience;
    for (std::uint32_t sent = 0; sent < messages;) {
      Error error;
      if (port.send(other, {wire::Kind::eager, 0, 0, 0}, 0, nullptr, 0, {.bytes = body, .size = sizeof body}, error) ==
          Post::done) {
        ++sent;
        continue;
      }
      require(!error && now() < limit, "never room again");
      if (port.may_sleep()) port.sleep(second);
      port.awake();
    }
  }));
}

// More fifos than are looked at always: silent ones are let go and heard again.
TEST(ShmPort, SilentNeighboursAreLetGoAndHeardAgain) {
  constexpr std::uint32_t count = 20;
  EXPECT_TRUE(run(count, [](std::uint32_t me, ShmPort& port) {
    for (int phase = 0; phase < 3; ++phase) {
      const int tag = phase;
      if (me > 0) {
        send(port, reach(port, 0), tag, &tag, sizeof tag);
        receive(port, 1, [](auto&&...) {}, true);
        continue;
      }
      receive(port, count - 1,
              [&](shm::Link&, const wire::Header& head, auto&&...) { require(head.tag == tag, "tag"); });
      // A sender that saw us deaf may be late to ring: then its fifo is looked at again, as a few fifos always are.
      const Nanoseconds limit = now() + patience;
      for (std::uint32_t heard = count; heard > 8;) {
        for (int i = 0; i < 50'000; ++i) poll(port);
        heard = 0;
        for (std::uint32_t i = 1; i < count; ++i) heard += port.listens_to(i);
        require(now() < limit, "silent fifos are still looked at");
      }
      for (std::uint32_t i = 1; i < count; ++i) send(port, reach(port, i), tag, &tag, sizeof tag);
    }
  }));
}

// Everybody tells everybody, and hears from everybody, that it has come so far.
void meet(ShmPort& port, std::uint32_t me, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i)
    if (i != me) send(port, reach(port, i), 0, "", 0);
  receive(port, count - 1, [](auto&&...) {});
}

TEST(ShmPort, RanksThatCrowdFindRoom) {
  struct Case {
    std::vector<int> here, room;  // by rank: where it runs, and where it shall
  };
  const Case cases[] = {
      {{0, 0, 0, 0, 0, 1}, {-1, -1, -1, 1, 1, -1}},  // the last go
      {{0, 0, 0, 1, 1, 1}, {-1, -1, -1, -1, -1, -1}}, {{0, 0, 0, 1, 1, 0}, {-1, -1, -1, -1, -1, 1}},
      {{0, 0, 1, 1, 1, 0}, {-1, -1, -1, -1, -1, -1}}, {{1, 1, 1, 1, 1, 1}, {-1, -1, -1, 0, 0, 0}},
      {{3, 3, 3, 3, 3, 3}, {-1, -1, 1, 0, 1, 0}},  // outside of what is allowed: to where the fewest are
  };
  EXPECT_TRUE(run(6, [&](std::uint32_t me, ShmPort& port) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    CPU_SET(0, &allowed);
    CPU_SET(1, &allowed);
    for (const Case& c : cases) {
      port.find_room(c.here[me], allowed);  // from which the others learn where this one is
      meet(port, me, 6);
      const int room = port.find_room(c.here[me], allowed);
      if (room != c.room[me]) printf("rank %u: %d\n", me, room);
      require(room == c.room[me], "the wrong room");
      meet(port, me, 6);
    }
  }));
}

TEST(ShmPort, ReadsFromTheOthersMemory) {
  EXPECT_TRUE(run(2, [](std::uint32_t me, ShmPort& port) {
    shm::Link& other = reach(port, 1 - me);
    std::vector<char> data(3'000'001, static_cast<char>('a' + me));
    const auto address = reinterpret_cast<std::uintptr_t>(data.data());
    send(port, other, 0, &address, sizeof address);
    std::uintptr_t remote = 0;
    receive(port, 1, [&](shm::Link&, const wire::Header& head, const std::byte* body, std::size_t size) {
      if (head.tag == 1) return;  // the other has read already
      require(size == sizeof remote, "size");
      memcpy(&remote, body, size);
    });
    if (port.limits(1 - me).read) {  // where the kernel permits it
      std::vector<char> copy(data.size());
      Ended ended;
      require(port.read(1 - me, copy.data(), nullptr, remote, nullptr, 0, copy.size(), ended) == Post::posted, "read");
      while (!ended.over) poll(port);
      require(ended.code == 0, "the read failed");
      require(copy == std::vector<char>(data.size(), static_cast<char>('b' - me)), "wrong bytes");
      // An address that is not there: told, and afterwards the port offers no reading.
      ended.over = false;
      port.read(1 - me, copy.data(), nullptr, 16, nullptr, 0, 100, ended);
      while (!ended.over) poll(port);
      require(ended.code == static_cast<int>(ErrorClass::unsupported_operation), "the error of a failed read");
      require(!port.limits(1 - me).read, "reading is offered after it failed");
    }
    send(port, other, 1, "", 0);  // the other may have our memory no longer once we have ended
    receive(port, 1, [](auto&&...) {});
  }));
}

TEST(ShmPort, ForbiddenCopyingIsNotOffered) {
  EXPECT_TRUE(run(
      2,
      [](std::uint32_t me, ShmPort& port) {
        reach(port, 1 - me);
        require(!port.limits(1 - me).read, "reading is offered");
      },
      false));
}

TEST(ShmPort, ASegmentOfSomebodyElseIsRefused) {
  const int segment = memfd_create("test-node", 0);
  ShmPort port;
  ASSERT_FALSE(port.open(dup(segment), place_of(0, 2)));
  ShmPort::Place other_job = place_of(1, 2), other_key = place_of(1, 2), other_count = place_of(1, 3);
  other_job.identity.job = 78;
  other_key.identity.key.low = 9;
  for (const ShmPort::Place& place : {other_job, other_key, other_count}) {
    ShmPort wrong;
    EXPECT_TRUE(wrong.open(dup(segment), place));
  }
  ShmPort twice;
  EXPECT_TRUE(twice.open(dup(segment), place_of(0, 2)));
  ShmPort refusing;
  EXPECT_FALSE(refusing.refuse(dup(segment), place_of(1, 2)));
  EXPECT_EQ(port.presence(1), shm::Presence::refused);
  close(segment);
}

}  // namespace
}  // namespace cow::transport
