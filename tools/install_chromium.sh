#!/bin/sh
# Install Chromium from Debian's packages where none is here and we may.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
may=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "Chromium is missing and we may not install it: apt-get install chromium" >&2
        exit 1
    fi
    may="sudo -n"
fi
echo "Installing Chromium"
$may apt-get update -qq
DEBIAN_FRONTEND=noninteractive $may apt-get install -y -qq chromium >/dev/null
