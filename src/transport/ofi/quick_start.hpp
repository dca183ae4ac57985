// Debian's libfabric takes 0.3 s to open and to answer for the first time, on any machine, because of hardware that
// almost no machine has. Both detours are left out where that hardware is not there; everything else is as it was.
#pragma once

namespace cow::transport::ofi {

// To be constructed before libfabric is opened. libfabric needs libpsm_infinipath and libpsm2, whose constructors move
// the process to one processor and sleep 200 and 100 ms to measure the clock, and which take signals. Small libraries
// of the same names, out of memory files, are opened first, and the dynamic linker is content with them. Without effect
// where there is an InfiniPath or Omni-Path card.
class WithoutPsm {
 public:
  WithoutPsm();
  // Undoes it: libfabric could not be opened with it.
  void give_up();
  bool active() const { return handles_[0] || handles_[1]; }

 private:
  void* handles_[2] = {};  // stay open, as libfabric does
};

// While it lives, libfabric cannot open /proc/kallsyms, which its provider "verbs" reads twice at the first fi_getinfo
// (84 ms of processor time) to learn whether the kernel can do peer-to-peer transfers between an InfiniBand card and a
// GPU. Done by exchanging the pointer to fopen in libfabric's own table, which is put back. Without effect where there
// is an InfiniBand card, or where that pointer is not what it should be.
class WithoutKernelSymbols {
 public:
  explicit WithoutKernelSymbols(void* libfabric);
  ~WithoutKernelSymbols();
  WithoutKernelSymbols(const WithoutKernelSymbols&) = delete;
  WithoutKernelSymbols& operator=(const WithoutKernelSymbols&) = delete;

 private:
  void** slot_ = nullptr;
};

}  // namespace cow::transport::ofi
