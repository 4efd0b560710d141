#!/bin/sh
# Chromium and Chinese fonts, which only the browser tests need: installed where we may, else named.
set -u

have_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

have_fonts() {
    ! command -v fc-list >/dev/null 2>&1 || [ -n "$(fc-list :lang=zh 2>/dev/null)" ]
}

have_browser && have_fonts && exit 0

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        run=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        run="sudo -n"
    else
        echo "browser tests are left out: they need the packages chromium and fonts-noto-cjk (apt-get install)" >&2
        exit 0
    fi
    echo "installing chromium and fonts-noto-cjk for the browser tests" >&2
    { $run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1 ||
        echo "browser tests are left out: chromium and fonts-noto-cjk could not be installed" >&2
else
    echo "browser tests are left out: they need Chromium or Chrome on the PATH" >&2
fi
exit 0
