#!/usr/bin/env bash
# usage: bash hw4.sh <data> <out>
PYTHONPATH="$(dirname "$0")${PYTHONPATH:+:$PYTHONPATH}" exec python3 -PB -m inference hw4 "$@"
