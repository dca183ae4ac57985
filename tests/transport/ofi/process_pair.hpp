// Two processes, each with a port of its own, for tests and measurements. The caller's process opens no port, so that
// it can be forked from again.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "transport/port.hpp"

namespace cow::test {

// A pipe each way to the other process: strings and a way to meet.
class Channel {
 public:
  Channel(int in, int out) : in_(in), out_(out) {}
  void tell(const std::string& text) const;
  std::string hear() const;  // ends the process when the other has ended
  void meet() const {
    tell("");
    hear();
  }
  bool has_word() const;  // hear() would not wait

 private:
  int in_, out_;
};

// One of the two processes: its port, connected to the other's.
class Side final : public transport::Receiver {
 public:
  Side(int number, Channel link) : index(number), channel(link) {}
  ~Side();

  // Opens the port and reaches the other's first candidate. Ends the process with a message when it cannot.
  void open(const std::string& provider, bool one_node = true);

  void arrived(const std::byte* bytes, std::size_t size) override { receive(bytes, size); }

  void send(const void* head, std::size_t head_size, const transport::Body& body = {});  // polls while `again`
  void poll_until(const std::function<bool()>& done);                                    // ends the process after 20 s

  const int index;
  const Channel channel;
  std::unique_ptr<transport::Port> port;
  transport::Destination other = 0;
  std::string other_published;
  std::function<void(const std::byte*, std::size_t)> receive = [](const std::byte*, std::size_t) {};
};

// A completion that counts.
struct Counted : transport::Completion {
  Counted() {
    done = [](transport::Completion& self, Error error) {
      auto& counted = static_cast<Counted&>(self);
      ++counted.told;
      counted.error = error;
      counted.message = error ? last_failure() : "";
    };
  }
  int told = 0;
  Error error;
  std::string message;
};

// A failed expectation in a side: prints and ends the process with status 1.
[[noreturn]] void die(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define COW_EXPECT(condition) \
  ((condition) ? (void)0 : ::cow::test::die("%s:%d: expected %s", __FILE__, __LINE__, #condition))

// Runs `body` in `count` forked processes (a full mesh is not made: side i talks to side i ^ 1). Returns an empty text
// when all ended with 0, else what went wrong. What they print on standard error counts as wrong.
std::string run_sides(int count, const std::function<void(Side&)>& body, double seconds = 60);
inline std::string run_pair(const std::function<void(Side&)>& body, double seconds = 60) {
  return run_sides(2, body, seconds);
}

}  // namespace cow::test
