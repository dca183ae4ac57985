// What must be done at the end of a scope, however it ends: functions of the program, which the library calls, may throw,
// and a thread that waits may be cancelled.
#pragma once

#include <utility>

namespace cow {

template <class Do>
class AtEnd {
 public:
  explicit AtEnd(Do what) : do_(std::move(what)) {}
  ~AtEnd() {
    if (wanted_) do_();
  }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  void forget() { wanted_ = false; }  // all went well: nothing is to be undone
  void now() {
    forget();
    do_();
  }

 private:
  Do do_;
  bool wanted_ = true;
};

// A flag that is set as long as this lives.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool& flag_;
};

// A reference to a counted object, as long as this lives.
template <class T>
class Held {
 public:
  explicit Held(T* object) : object_(object) {
    if (object_) retain(*object_);
  }
  explicit Held(T& object) : Held(&object) {}
  ~Held() {
    if (object_) release(*object_);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  T* object_;
};

}  // namespace cow
