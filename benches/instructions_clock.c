/* The clock of a program that valgrind counts: each look at it takes 25 ns, as it does outside.
   Otherwise functions seem to take microseconds, and the engine no longer takes them for short ones. */

#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static long nanoseconds;
    long at = __atomic_add_fetch(&nanoseconds, 25, __ATOMIC_RELAXED);
    (void)clock;
    now->tv_sec = 1 + at / 1000000000;
    now->tv_nsec = at % 1000000000;
    return 0;
}
