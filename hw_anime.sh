#!/usr/bin/env bash
# usage: bash hw_anime.sh <images> <out>
PYTHONPATH="$(dirname "$0")${PYTHONPATH:+:$PYTHONPATH}" exec python3 -PB -m inference anime "$@"
