#!/usr/bin/env bash
# usage: bash hw_kl.sh <data> <out>
PYTHONPATH="$(dirname "$0")${PYTHONPATH:+:$PYTHONPATH}" exec python3 -PB -m inference kl "$@"
