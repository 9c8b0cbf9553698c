#!/usr/bin/env bash
# usage: bash benchmarks/accelerator.sh <data> <out> [seconds of training] [recipe ...]
#
# On a machine with JAX and an accelerator: dcgan_c beside its compiled PyTorch twin,
# then training, all recipes side by side for so many seconds, into <out>/runs; all in 6
# minutes with the default of 60 seconds. On a processor it takes longer, the same way.
set -euo pipefail
data=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
seconds=${3:-60}
recipes=("${@:4}")
[ ${#recipes[@]} -gt 0 ] || recipes=(dcgan_c vae_c acgan_c)
cd "$(dirname "$0")/.."
export XLA_PYTHON_CLIENT_PREALLOCATE=false # so that several processes share its memory
export KERAS_BACKEND=jax JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$out/jax}
pairs=${PAIRS:-5}

for batch in ${BATCHES:-128 1024}; do
    timeout "${LIMIT:-110}" python3 -m benchmarks --results "$out" steps --recipes dcgan_c \
        --precisions bfloat16 --batch "$batch" --pairs "$pairs" --steps 3 ||
        echo "batch $batch: not compared"
done
trainings=()
for recipe in "${recipes[@]}"; do
    # Ends as a stopped run does: saved, and the same command goes on from there.
    timeout --signal=TERM "$seconds" python3 -m train "$recipe" --data "$data" \
        --run "$out/runs/$recipe" --precision bfloat16 &
    trainings+=($!)
done
for training in "${trainings[@]}"; do
    wait "$training" || [ $? -eq 124 ]
done
