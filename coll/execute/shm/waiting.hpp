// A wait for others on slots, of which progress knows, so that no thread sleeps through its end. It is told of the end once, and
// then nothing keeps it from sleeping any more: the thread that waits needs the lock from the one that polls, which gives it up
// when it sleeps.
#pragma once

#include "coll/execute/shm/area.hpp"
#include "runtime/progress.hpp"

namespace cow::coll::shm {

constexpr Nanoseconds between_looks = 500 * millisecond;  // at the processes of those that are missing

struct Area::Waiting : progress::Source {
  Waiting(const Area& a, const Slots::Want& w, int first_missing);
  ~Waiting();
  bool over() { return area.slots().have_published(from, wanted.end, wanted.number); }

  const Area& area;
  const Slots::Want wanted;
  int from;  // those before it have come
  bool told = false;
  Waiting* previous = nullptr;
  Waiting* following = nullptr;
};

}  // namespace cow::coll::shm
