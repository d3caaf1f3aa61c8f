#!/bin/sh
# Names what the system lacks, with the line that installs it, before anything else happens.
# Usage: check_system.sh [PYTHON]; prints nothing when all is there.
set -u
python="${1:-python3.11}"
missing=""
packages=""

lack() {
    missing="${missing}  - $1
"
    packages="${packages} $2"
}

if ! command -v "$python" >/dev/null 2>&1; then
    lack "Python 3.11 or later (looked for $python)" "python3.11 python3.11-venv"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    lack "Python 3.11 or later ($python is $("$python" -V 2>&1))" "python3.11 python3.11-venv"
elif ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    lack "the venv module of Python $version" "python$version-venv"
fi

# OpenCV's wheel needs these two shared libraries; elsewhere than on Linux it brings them along.
if [ "$(uname -s)" = Linux ]; then
    ldconfig="$(command -v ldconfig || echo /sbin/ldconfig)"
    has_library() {
        "$ldconfig" -p 2>/dev/null | grep -q "$1" && return 0
        for folder in /lib /usr/lib /lib64 /usr/lib64 /lib/*-linux-gnu /usr/lib/*-linux-gnu; do
            [ -e "$folder/$1" ] && return 0
        done
        return 1
    }
    has_library libGL.so.1 || lack "libGL.so.1, which OpenCV loads" libgl1
    has_library libgthread-2.0.so.0 || lack "libgthread-2.0.so.0, which OpenCV loads" libglib2.0-0
fi

if [ -n "$missing" ]; then
    printf 'This system lacks:\n%sInstall it with:\n  sudo apt-get install -y%s\n' "$missing" "$packages" >&2
    exit 1
fi
