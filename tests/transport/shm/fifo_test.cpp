// The two ends of a fifo: against a model, under bytes that make no sense, and from two threads at once.
#include "transport/shm/fifo.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>

namespace cow::transport::shm {
namespace {

struct Free {
  void operator()(void* memory) const { free(memory); }
};

struct Ends {
  Ends() : memory(aligned_alloc(page_size, fifo_stride)) {
    memset(memory.get(), 0, fifo_stride);
    out.open(static_cast<Fifo*>(memory.get()), at_sender);
    in.open(static_cast<Fifo*>(memory.get()), at_receiver);
  }
  Line& line(std::uint32_t i) {
    return reinterpret_cast<Line*>(static_cast<std::byte*>(memory.get()) + lines_offset)[i];
  }

  // What a message of the receiver to the sender would tell.
  void tell() { at_sender.told = at_receiver.taken; }

  std::unique_ptr<void, Free> memory;
  Exchange at_sender, at_receiver;
  FifoSender out;
  FifoReceiver in;
};

std::string text(std::uint32_t number, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(number * 31 + i * 7);
  return out;
}

Envelope envelope(std::uint32_t number) {
  return {wire::Kind::eager, 1000 + number, static_cast<std::int32_t>(number), -static_cast<std::int32_t>(number)};
}

bool put(FifoSender& out, std::uint32_t number, std::size_t size) {
  const std::string body = text(number, size);
  if (size <= inline_size) return out.put(envelope(number), static_cast<std::uint16_t>(number), body.data(), size);
  std::byte* place = out.begin(size);
  if (!place) return false;
  memcpy(place, body.data(), size);
  out.publish(envelope(number), static_cast<std::uint16_t>(number), size);
  return true;
}

// Takes the message that is ready and holds it against what put() wrote.
void expect_next(FifoReceiver& in, std::uint32_t number, std::size_t wanted) {
  const bool sound = in.take([&](const wire::Header& head, const std::byte* body, std::size_t size) {
    EXPECT_EQ(head.kind, wire::Kind::eager);
    EXPECT_EQ(head.credits, static_cast<std::uint16_t>(number));
    EXPECT_EQ(head.context, 1000 + number);
    EXPECT_EQ(head.source, static_cast<std::int32_t>(number));
    EXPECT_EQ(head.tag, -static_cast<std::int32_t>(number));
    ASSERT_EQ(size, wanted);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(body), size), text(number, wanted)) << number << ", " << size;
  });
  EXPECT_TRUE(sound);
}

std::size_t random_size(std::mt19937& random) {
  switch (random() % 4) {
    case 0: return random() % (inline_size + 1);
    case 1: return random() % 200;
    case 2: return random() % 4096;
    default: return wire::max_body - random() % 600;
  }
}

TEST(Fifo, EverySizeOfOneLineComesAsItWasSent) {
  Ends ends;
  for (std::uint32_t size = 0; size <= inline_size; ++size) {
    ASSERT_TRUE(put(ends.out, size, size));
    ASSERT_TRUE(ends.in.ready());
    expect_next(ends.in, size, size);
    EXPECT_FALSE(ends.in.ready());
  }
}

TEST(Fifo, BehavesAsAQueue) {
  std::mt19937 random(1);
  Ends ends;
  std::deque<std::pair<std::uint32_t, std::size_t>> model;
  std::uint32_t number = 0, refused = 0;
  for (int step = 0; step < 20'000; ++step) {
    // Phases in which more is sent than taken, and the other way round.
    const bool send = random() % 100 < (step / 500 % 2 ? 70u : 35u);
    if (send) {
      const std::size_t size = random_size(random);
      if (put(ends.out, number, size))
        model.emplace_back(number++, size);
      else
        ++refused;
    } else if (!model.empty()) {
      ASSERT_TRUE(ends.in.ready());
      expect_next(ends.in, model.front().first, model.front().second);
      model.pop_front();
    } else {
      ASSERT_FALSE(ends.in.ready());
    }
  }
  EXPECT_GT(refused, 100u);  // it was full now and then
  EXPECT_GT(number, 5'000u);
}

TEST(Fifo, IsFullAfterAsManyMessagesAsItHasLinesAndSaysSo) {
  Ends ends;
  for (std::uint32_t i = 0; i < line_count; ++i) ASSERT_TRUE(put(ends.out, i, 8));
  EXPECT_FALSE(ends.in.sender_starves());
  EXPECT_FALSE(put(ends.out, 999, 8));
  EXPECT_TRUE(ends.in.sender_starves());
  expect_next(ends.in, 0, 8);
  EXPECT_TRUE(put(ends.out, line_count, 8));
  EXPECT_FALSE(ends.in.sender_starves());
}

TEST(Fifo, TakesALargestMessageWhateverCameBefore) {
  for (std::size_t before = 33; before < 16'000; before += 997) {
    Ends ends;
    for (std::uint32_t i = 0; i < 100; ++i) {
      ASSERT_TRUE(put(ends.out, i, before));
      expect_next(ends.in, i, before);
    }
    EXPECT_TRUE(put(ends.out, 100, wire::max_body)) << before;
    expect_next(ends.in, 100, wire::max_body);
  }
}

// Where each answers the other, bodies stand in the same place again and again; what is on its way is never touched.
TEST(Fifo, WhoIsToldThatAllWasTakenBeginsAgain) {
  std::mt19937 random(5);
  Ends ends;
  std::deque<std::pair<std::uint32_t, std::size_t>> model;
  std::set<std::uint16_t> places;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    const std::size_t size = 1000 + random() % 1000;
    ASSERT_TRUE(put(ends.out, i, size));
    model.push_back({i, size});
    if (random() % 8 == 0) ends.tell();  // not all was taken: nothing begins again
    if (i >= 4'000) places.insert(extent_of(ends.line(i % line_count)).place);
    while (!model.empty() && (i >= 3'990 || random() % 2 || model.size() > 10)) {
      expect_next(ends.in, model.front().first, model.front().second);
      model.pop_front();
    }
    ends.tell();
  }
  EXPECT_EQ(places.size(), 1u);
}

// Whatever stands in a line, the receiver reads within the fifo and goes on.
TEST(Fifo, LinesThatMakeNoSenseAreSkipped) {
  std::mt19937 random(2);
  Ends ends;
  std::size_t skipped = 0, taken = 0;
  for (std::uint32_t i = 0; i < 6'000; ++i) {
    Line& line = ends.line(i % line_count);
    for (std::byte& byte : std::span(reinterpret_cast<std::byte*>(&line), sizeof line))
      byte = static_cast<std::byte>(random());
    Extent extent = extent_of(line);
    if (random() % 2) extent.size %= 2 * wire::max_body;
    if (random() % 2) extent.place %= 2 * data_units;
    set_extent(line, extent);
    turn_of(line).store(i + 1);
    ASSERT_TRUE(ends.in.ready());
    std::size_t sum = 0;
    const bool sound = ends.in.take([&](const wire::Header&, const std::byte* body, std::size_t size) {
      const auto* first = static_cast<const std::byte*>(ends.memory.get());
      EXPECT_GE(body, first);
      EXPECT_LE(body + size, first + fifo_stride);
      for (std::size_t k = 0; k < size; ++k) sum += static_cast<std::size_t>(body[k]);
    });
    ++(sound ? taken : skipped);
  }
  EXPECT_GT(skipped, 300u);
  EXPECT_GT(taken, 300u);
}

// A receiver that claims to have taken what was never sent gives the sender no room.
TEST(Fifo, ACountOfTakenLinesThatMakesNoSenseGivesNoRoom) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    Ends ends;
    for (std::uint32_t k = 0; k < line_count; ++k) ASSERT_TRUE(put(ends.out, k, 8));
    const auto claimed = static_cast<std::uint32_t>(random()) | 1u << 20;  // far from what was sent
    static_cast<Fifo*>(ends.memory.get())->taken.store(claimed);
    EXPECT_FALSE(put(ends.out, 0, 8)) << claimed;
  }
}

TEST(Fifo, TwoThreads) {
  constexpr std::uint32_t count = 10'000;
  Ends ends;
  std::thread sender([&] {
    std::mt19937 random(4);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t size = random_size(random);
      while (!put(ends.out, i, size)) std::this_thread::yield();
    }
  });
  std::mt19937 random(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t size = random_size(random);
    while (!ends.in.ready()) std::this_thread::yield();
    expect_next(ends.in, i, size);
    if (HasFailure()) break;
  }
  sender.join();
}

}  // namespace
}  // namespace cow::transport::shm
