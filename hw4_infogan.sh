#!/usr/bin/env bash
# usage: bash hw4_infogan.sh <data> <out> [recipe or run]
exec python3 -B "$(dirname "$(readlink -f "$0" 2>&- || echo "$0")")/start.py" infogan "$@"
