#!/usr/bin/env bash
# Builds the fuzz targets of rust/fuzz and runs each for a bounded time: fuzz.sh SECONDS [NAME…]. What a run finds lies in
# build/fuzz/NAME; it becomes a seed in rust/fuzz/seeds/NAME when it is mended. With FUZZ_SEED the inputs are the same in each
# run that starts from nothing, so that `make test` tells of the change under test and not of luck.
set -euo pipefail
seconds=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
fuzz=$root/rust/fuzz
target=${CARGO_TARGET_DIR:-$root/rust/target}/fuzz
# libFuzzer's coverage, which cargo does not switch on by itself.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# Named target: build scripts and macros then go without the flags.
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --release --locked --manifest-path "$fuzz/Cargo.toml" --target "$triple" --target-dir "$target"
[ $# -gt 0 ] || set -- $(cd "$fuzz/targets" && ls | sed 's/\.rs$//')
for name in "$@"; do
    corpus=$root/build/fuzz/$name
    mkdir -p "$corpus" "$fuzz/seeds/$name"
    echo "fuzzing $name for $seconds s"
    "$target/$triple/release/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        ${FUZZ_SEED:+-seed="$FUZZ_SEED" -runs=100000} \
        -artifact_prefix="$corpus/found-" "$corpus" "$fuzz/seeds/$name"
done
