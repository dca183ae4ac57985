/* What the machine itself can do, without MPI: each word on the command line measures one thing and prints its line.
   Two processes share a page; where they need two cores and have one, the line is left out.
     cacheline   one cache line there and back between two cores, half of it: microseconds
     yield       sched_yield back and forth between two processes on one core, half of it: microseconds
     futex       from the call that wakes a sleeper on the other core to the sleeper's next instruction: microseconds
     tcp         8 bytes there and back over loopback TCP, reading in a loop without sleeping, half of it: microseconds
     epoll       from the send of 8 bytes to a process asleep in epoll_wait on the other core to its next instruction
     memcpy      4 MiB from one buffer to another: MB/s (10^6 bytes)
     memory/N    as many processes as processors, each of which copies its share, again and again, so that sources and
                 destinations of all are N bytes together: microseconds of one copy, of the slowest process
   Where HOSTS names two network namespaces (A,B; the caller is in A), tcp and epoll go from A to B. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { line = 64, rounds = 40, wakes = 40 };

typedef struct { /* what two processes share; each word has a line of its own, and its neighbours too (prefetching) */
  _Alignas(2 * line) _Atomic unsigned there;
  _Alignas(2 * line) _Atomic unsigned back;
  _Alignas(2 * line) _Atomic long stamp; /* nanoseconds, when the wake was sent */
  _Alignas(2 * line) double waited[wakes];
} Shared;

static Shared* shared;

static void die(const char* what) {
  fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void sleep_us(long us) {
  const struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

static int cores(void) {
  cpu_set_t all;
  return sched_getaffinity(0, sizeof all, &all) == 0 ? CPU_COUNT(&all) : 1;
}

static void pin(int index) {
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof all, &all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all) || index-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double* sorted(double* values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return values;
}

static double quietest(double* values, int count) { return sorted(values, count)[0]; }
static double median(double* values, int count) { return sorted(values, count)[count / 2]; }

/* Runs `child` in a second process on core `theirs` and `parent` here on core `ours`; the parent's result. */
static double two(int ours, int theirs, void (*child)(int), double (*parent)(int), int argument_child, int argument) {
  cpu_set_t before;
  sched_getaffinity(0, sizeof before, &before);
  memset(shared, 0, sizeof *shared);
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    pin(theirs);
    child(argument_child);
    _exit(0);
  }
  pin(ours);
  const double result = parent(argument);
  waitpid(pid, NULL, 0);
  sched_setaffinity(0, sizeof before, &before);
  return result;
}

/* --- cache line and sched_yield ------------------------------------------------------------------------------- */

enum { line_trips = 2000, yield_trips = 400 };

static void turn(int yields) {
  if (yields) sched_yield();
}

/* Waits for each number and gives it back, until the last. */
static void echo(int yields) {
  const unsigned last = rounds * (yields ? yield_trips : line_trips);
  for (unsigned i = 1; i <= last; ++i) {
    while (atomic_load_explicit(&shared->there, memory_order_acquire) != i) turn(yields);
    atomic_store_explicit(&shared->back, i, memory_order_release);
  }
}

static double call_out(int yields) {
  const unsigned each = yields ? yield_trips : line_trips;
  double times[rounds];
  unsigned i = 0;
  for (int round = 0; round < rounds; ++round) {
    const long start = now();
    for (unsigned n = 0; n < each; ++n) {
      atomic_store_explicit(&shared->there, ++i, memory_order_release);
      while (atomic_load_explicit(&shared->back, memory_order_acquire) != i) turn(yields);
    }
    times[round] = (double)(now() - start) / each / 2e3;
  }
  return yields ? median(times, rounds) : quietest(times, rounds);
}

/* --- wakes ----------------------------------------------------------------------------------------------------- */

static void take_stamp(int i) { shared->waited[i] = (double)(now() - atomic_load(&shared->stamp)) / 1e3; }

static void futex_sleeper(int ignored) {
  (void)ignored;
  for (unsigned i = 0; i < wakes; ++i) {
    while (atomic_load(&shared->there) == i) syscall(SYS_futex, &shared->there, FUTEX_WAIT, i, NULL, NULL, 0);
    take_stamp((int)i);
    atomic_store(&shared->back, i + 1);
  }
}

static double futex_waker(int ignored) {
  (void)ignored;
  for (unsigned i = 0; i < wakes; ++i) {
    sleep_us(10000);
    atomic_store(&shared->stamp, now());
    atomic_store(&shared->there, i + 1);
    syscall(SYS_futex, &shared->there, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (atomic_load(&shared->back) != i + 1) sched_yield();
  }
  return median(shared->waited, wakes);
}

static void epoll_sleeper(int fd) {
  const int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  for (int i = 0; i < wakes; ++i) {
    char word[8];
    if (epoll_wait(set, &event, 1, -1) != 1 || read(fd, word, sizeof word) != sizeof word) die("epoll");
    take_stamp(i);
    atomic_store(&shared->back, (unsigned)i + 1);
  }
}

static double epoll_waker(int fd) {
  for (unsigned i = 0; i < wakes; ++i) {
    sleep_us(10000);
    atomic_store(&shared->stamp, now());
    if (write(fd, "12345678", 8) != 8) die("write");
    while (atomic_load(&shared->back) != i + 1) sched_yield();
  }
  return median(shared->waited, wakes);
}

/* --- TCP ------------------------------------------------------------------------------------------------------- */

enum { tcp_each = 100 };

static void enter(const char* namespace_file) {
  const int fd = open(namespace_file, O_RDONLY);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) die(namespace_file);
  close(fd);
}

/* Where the other end listens: loopback, or the address that a host made by tests/hosts has. */
static struct in_addr address_of_host(void) {
  struct ifaddrs *all = NULL, *one;
  struct in_addr found = {htonl(INADDR_LOOPBACK)};
  getifaddrs(&all);
  for (one = all; one; one = one->ifa_next)
    if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET && strcmp(one->ifa_name, "eth0") == 0)
      found = ((struct sockaddr_in*)one->ifa_addr)->sin_addr;
  freeifaddrs(all);
  return found;
}

static int listening(struct sockaddr_in* address) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof *address;
  if (bind(listener, (struct sockaddr*)address, length) != 0 || listen(listener, 1) != 0) die("listen");
  getsockname(listener, (struct sockaddr*)address, &length);
  return listener;
}

static void connect_pair(int ends[2]) {
  const char *hosts = getenv("HOSTS"), *second = hosts ? strchr(hosts, ',') : NULL;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int on = 1;
  int listener, here = open("/proc/self/ns/net", O_RDONLY);
  if (second) { /* a socket stays in the namespace that it was made in */
    char file[300];
    snprintf(file, sizeof file, "/run/netns/%s", second + 1);
    enter(file);
    address.sin_addr = address_of_host();
    listener = listening(&address);
    if (setns(here, CLONE_NEWNET) != 0) die("setns");
  } else {
    listener = listening(&address);
  }
  close(here);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(ends[0], (struct sockaddr*)&address, sizeof address) != 0) die("connect");
  ends[1] = accept(listener, NULL, NULL);
  close(listener);
  for (int i = 0; i < 2; ++i) {
    setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
}

static void read_word(int fd) {
  char word[8];
  ssize_t got;
  while ((got = read(fd, word, sizeof word)) != sizeof word)
    if (got >= 0 || errno != EAGAIN) die("read");
}

static void tcp_echo(int fd) {
  for (int i = 0; i < rounds * tcp_each; ++i) {
    read_word(fd);
    if (write(fd, "12345678", 8) != 8) die("write");
  }
}

static double tcp_call_out(int fd) {
  double times[rounds];
  for (int round = 0; round < rounds; ++round) {
    const long start = now();
    for (int i = 0; i < tcp_each; ++i) {
      if (write(fd, "12345678", 8) != 8) die("write");
      read_word(fd);
    }
    times[round] = (double)(now() - start) / tcp_each / 2e3;
  }
  return quietest(times, rounds);
}

static double over_tcp(void (*child)(int), double (*parent)(int)) {
  int ends[2];
  connect_pair(ends);
  const double result = two(0, 1, child, parent, ends[1], ends[0]);
  close(ends[0]);
  close(ends[1]);
  return result;
}

/* --- memory ---------------------------------------------------------------------------------------------------- */

static double copying(void) {
  enum { size = 4 << 20 };
  char *from = malloc(size), *to = malloc(size);
  double rates[rounds];
  memset(from, 'a', size);
  memset(to, 'b', size);
  for (int round = 0; round < rounds; ++round) {
    const long start = now();
    for (int i = 0; i < 4; ++i) {
      memcpy(to, from, size);
      __asm__ volatile("" : : "r"(to) : "memory"); /* or the compiler would copy once */
    }
    rates[round] = 4.0 * size * 1e3 / (double)(now() - start);
  }
  free(from);
  free(to);
  return sorted(rates, rounds)[rounds - 1];
}

enum { most_batches = 400, share_time = 40000000 /* ns */, bytes_of_batch = 16 << 20 };

/* Waits until `processes` have come here. One that has died is not waited for longer than 10 s. */
static void meet(unsigned processes) {
  const long patience = now() + 10000000000L;
  atomic_fetch_add(&shared->there, 1);
  while (atomic_load(&shared->there) < processes && now() < patience) sched_yield();
}

/* Microseconds that a copy of `size` bytes takes, in the quieter batches: what else runs can only lengthen one, but in the
   quietest the others might not have been copying. */
static double copying_share(size_t size, unsigned processes) {
  char *from = malloc(size), *to = malloc(size);
  if (!from || !to) die("malloc");
  memset(from, 'a', size);
  memset(to, 'b', size);
  const size_t each = size < bytes_of_batch ? bytes_of_batch / size : 1;
  double times[most_batches];
  int count = 0;
  meet(processes);
  for (long begun = now(), start = begun; start < begun + share_time && count < most_batches; ++count) {
    for (size_t i = 0; i < each; ++i) {
      memcpy(to, from, size);
      __asm__ volatile("" : : "r"(to) : "memory");
    }
    const long end = now();
    times[count] = (double)(end - start) / 1e3 / (double)each;
    start = end;
  }
  return sorted(times, count)[count / 4];
}

static double copying_together(size_t bytes) {
  const int processes = cores();
  const size_t size = bytes / 2 / (size_t)processes;
  int results[2];
  if (size == 0 || pipe(results) != 0) die("memory");
  memset(shared, 0, sizeof *shared);
  for (int i = 0; i < processes; ++i) {
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid > 0) continue;
    pin(i);
    const double took = copying_share(size, (unsigned)processes);
    _exit(write(results[1], &took, sizeof took) != sizeof took);
  }
  close(results[1]);
  double took, slowest = 0;
  for (int i = 0; i < processes; ++i) {
    if (read(results[0], &took, sizeof took) != sizeof took) die("memory");
    if (took > slowest) slowest = took;
  }
  close(results[0]);
  while (wait(NULL) > 0) {}
  return slowest;
}

static void measure(const char* what) {
  double value;
  if (strcmp(what, "memcpy") == 0) value = copying();
  else if (strncmp(what, "memory/", 7) == 0) value = copying_together(strtoull(what + 7, NULL, 10));
  else if (strcmp(what, "yield") == 0) value = two(0, 0, echo, call_out, 1, 1);
  else if (cores() < 2) return;
  else if (strcmp(what, "cacheline") == 0) value = two(0, 1, echo, call_out, 0, 0);
  else if (strcmp(what, "futex") == 0) value = two(0, 1, futex_sleeper, futex_waker, 0, 0);
  else if (strcmp(what, "epoll") == 0) value = over_tcp(epoll_sleeper, epoll_waker);
  else if (strcmp(what, "tcp") == 0) value = over_tcp(tcp_echo, tcp_call_out);
  else {
    fprintf(stderr, "limits: cannot measure %s\n", what);
    exit(2);
  }
  printf("%s %.4f\n", what, value);
}

int main(int argc, char** argv) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) die("mmap");
  for (int i = 1; i < argc; ++i) measure(argv[i]);
}
