#!/usr/bin/env bash
# usage: bash hw_today.sh <data> <out>
exec python3 -B "$(dirname "$(readlink -f "$0")")/start.py" today "$@"
