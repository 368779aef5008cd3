# Everything that has to hold before a change lands.
ci:
    .ci/run

# Two sizes up, optimised: some hours, of which many_callers and soak take one and a half.
# `just soak soak` runs one of them.
soak tests="random failure_anywhere dropped_anywhere many_callers client_churn shutdown soak":
    for test in {{ tests }}; do GLIBC_TUNABLES=glibc.malloc.tcache_count=0 DELAYED_SIZE=soak cargo test --release --test "$test" -- --nocapture || exit 1; done

# Small graphs that two threads meet in, under miri, with as many schedules as there is patience for: about
# half a minute for each seed. `just miri 100 200` goes on where `just miri` has ended.
miri first="1" last="100":
    .ci/miri alone schedules {{ first }} {{ last }}
