#!/bin/sh
# Sees to the system libraries that Qt and OpenGL need on Debian and Ubuntu.
# Installs the missing ones when it may (root, or sudo that asks for no password);
# otherwise prints the line that does, and fails. Elsewhere it only looks for a display.
#
#   --viewer   for a window on the user's own display: leaves out the virtual one

set -eu

[ "$(uname -s)" = Linux ] || exit 0

packages="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0
libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0"
[ "${1:-}" = --viewer ] || packages="$packages xvfb xauth"

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    if [ "${1:-}" != --viewer ] && ! command -v Xvfb >/dev/null && [ -z "${DISPLAY:-}" ]; then
        echo "There is neither Xvfb nor a display: install Xvfb (and xauth) with your package" \
            "manager, or the tests that open a window will fail." >&2
    fi
    exit 0
fi

# Newer releases carry some libraries under a name that ends in t64.
installed() {
    for name in "$1" "$1t64"; do
        case "$(dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null)" in
            *not-installed*) ;;
            *installed*) return 0 ;;
        esac
    done
    return 1
}

missing=
for package in $packages; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=env
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    echo "System libraries are missing. Install them, then run make again:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "Installing system libraries:$missing"
install_missing() {
    # shellcheck disable=SC2086  # both are lists of words
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing
}
# A fresh machine has no package list, or an old one: fetch it when the first try fails.
install_missing 2>/dev/null || { $as_root apt-get update -qq && install_missing; }
