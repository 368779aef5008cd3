#!/usr/bin/env bash
# Counts instructions a node and compares them with benches/instructions.txt; `--store` writes that file.
#
# Two runs under valgrind, one with more rounds; what they differ by is the rounds' alone.
# Cachegrind and not callgrind: it slows the program down five times less, and the engine looks
# after each short function whether it took microseconds. For its other clock see instructions_clock.c.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

stored=benches/instructions.txt
rounds=20
tolerance=3

skip() { printf 'SKIPPED instructions: %s\n' "$*"; exit 0; }
fact() { sed -n "s/^$1: //p" "$stored"; }

store=
case "${1-}" in
    --store) store=1 ;;
    '') ;;
    *) echo "usage: $0 [--store]" >&2 && exit 2 ;;
esac

rustc=$(rustc --version)
host=$(rustc -vV | sed -n 's/^host: //p')
command -v valgrind > /dev/null || skip 'no valgrind'
command -v cc > /dev/null || skip 'no C compiler for the clock'
valgrind=$(valgrind --version)
if [ -z "$store" ]; then
    [ -f "$stored" ] || { echo "no $stored: write it with --store" >&2 && exit 1; }
    [ "$(fact host)" = "$host" ] || skip "the stored numbers are for $(fact host), this is $host"
    [ "$(fact rustc)" = "$rustc" ] || skip "the stored numbers are for $(fact rustc), this is $rustc"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 -shared -fPIC -o "$work/clock.so" benches/instructions_clock.c
cargo --color never bench --bench instructions --no-run 2>&1 | tee "$work/cargo" >&2
program=$(sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$work/cargo")

# Instructions of the whole program with so many rounds; it prints how many nodes a round has.
count() {
    LD_PRELOAD="$work/clock.so" valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
        --log-file="$work/log" "$program" "$1" "$2" > "$work/nodes"
    sed -n 's/.*I *refs: *//p' "$work/log" | tr -d ,
}

if [ -n "$store" ]; then
    cat > "$work/new" <<HEAD
# Instructions a node, built, run and dropped on one thread. Written by \`benches/instructions.sh --store\`.
# They are those of the code that this compiler makes: with another one they are not comparable.
rustc: $rustc
host: $host
valgrind: $valgrind
HEAD
fi

failed=
printf '%-10s %12s %8s %11s\n' workload instructions stored difference
within() { awk "BEGIN { exit !(\"$1\" != \"\" && (${1:-0}) ^ 2 <= $tolerance ^ 2) }"; }

for workload in chain tree 256-loop random; do
    before=$([ ! -f "$stored" ] || fact "$workload")
    # The engine reads the processor's counter too, which a busy machine makes run ahead.
    for attempt in 1 2 3; do
        without=$(count "$workload" 0)
        with=$(count "$workload" "$rounds")
        nodes=$(cat "$work/nodes")
        now=$(awk "BEGIN { printf \"%.1f\", ($with - $without) / $rounds / $nodes }")
        difference=$([ -z "$before" ] || awk "BEGIN { printf \"%+.1f\", 100 * ($now / $before - 1) }")
        if within "$difference"; then break; fi
    done
    printf '%-10s %12s %8s %9s %%\n' "$workload" "$now" "${before:--}" "${difference:--}"
    [ -z "$store" ] || echo "$workload: $now" >> "$work/new"
    within "$difference" || failed=1
done

if [ -n "$store" ]; then
    cp "$work/new" "$stored"
    echo "stored in $stored"
elif [ -n "$failed" ]; then
    echo "differs by more than $tolerance %: find out why; if it is meant, or better, benches/instructions.sh --store"
    exit 1
fi
