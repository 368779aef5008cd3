# Everything that has to hold before a change lands.
ci:
    .ci/run

# Two sizes up, optimised: some hours, of which many_callers and soak take one and a half.
# `just soak soak` runs one of them.
soak tests="random failure_anywhere dropped_anywhere many_callers client_churn shutdown soak":
    for test in {{ tests }}; do GLIBC_TUNABLES=glibc.malloc.tcache_count=0 DELAYED_SIZE=soak cargo test --release --test "$test" -- --nocapture || exit 1; done
