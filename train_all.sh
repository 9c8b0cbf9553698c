#!/usr/bin/env bash
# usage: bash train_all.sh <data> <runs> [recipe ...]
exec python3 -B "$(dirname "$(readlink -f "$0" 2>&- || echo "$0")")/start.py" train_all "$@"
