#!/bin/sh
# Chromium and a Chinese font for the browser tests: found, or installed from the system's packages where that
# is allowed without a question; otherwise those tests are skipped, except where CI=true, where that is an error.
set -u

found() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
chinese() { command -v fc-list >/dev/null 2>&1 && fc-list ':lang=zh' 2>/dev/null | grep -q .; }

if found >/dev/null && chinese; then
    exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root='sudo -n'
    fi
    if [ -z "$as_root" ] || sudo -n true 2>/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        { $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk fontconfig; } >&2
    fi
fi

if found >/dev/null; then
    chinese || echo "No Chinese font found: screenshots will show boxes (Debian: apt install fonts-noto-cjk)."
elif [ "${CI:-}" = true ]; then
    echo "Chromium is missing and could not be installed: the browser tests cannot run." >&2
    exit 1
else
    echo "Chromium is missing and could not be installed: the browser tests will be skipped."
fi
