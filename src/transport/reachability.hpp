// Whether anything listens at the addresses of a peer: asked only when it has not answered for long, to tell a peer that is
// busy from one that cannot be reached. A question that is under way; progress looks at it, and nothing waits.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"

namespace cow::transport {

class Reachability {
 public:
  static constexpr Nanoseconds patience = second;  // an address that does not answer for so long is not there

  // Begins to open a TCP connection to each address, "192.0.2.7:40123" or "[2001:db8::7]:40123". One of another form counts
  // as reachable, since nothing can be said.
  Reachability(const std::vector<std::string>& addresses, Nanoseconds time);
  ~Reachability();
  Reachability(const Reachability&) = delete;

  enum class Answer { pending, reachable, unreachable };  // reachable: one of them is
  Answer look(Nanoseconds time);

  // Unreachable: "192.0.2.7:40123: Connection refused; …".
  std::string reasons() const;

 private:
  struct Attempt {
    std::string address;
    int descriptor = -1;
    int error = 0;  // an errno; EINPROGRESS: not known yet
  };
  static void begin(Attempt& attempt);
  void look_at(Attempt& attempt, Nanoseconds time) const;

  std::vector<Attempt> attempts_;
  Nanoseconds limit_;
};

}  // namespace cow::transport
