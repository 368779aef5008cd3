// The kernel as a library, for python/peer.py.
#include "kernel.hpp"

extern "C" void kernel_spin(uint64_t times) { spin(times); }
