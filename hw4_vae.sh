#!/usr/bin/env bash
# usage: bash hw4_vae.sh <data> <out> [recipe]
PYTHONPATH="$(dirname "$0")${PYTHONPATH:+:$PYTHONPATH}" exec python3 -PB -m inference vae "$@"
