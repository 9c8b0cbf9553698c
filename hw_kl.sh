#!/usr/bin/env bash
# usage: bash hw_kl.sh <data> <out>
exec python3 -B "$(dirname "$(readlink -f "$0" 2>&- || echo "$0")")/start.py" kl "$@"
