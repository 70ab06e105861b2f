#!/bin/sh
# Runs a command on a virtual display with OpenGL where there is one (Linux with Xvfb),
# else on the user's own display. Exits as the command does.

if [ "$(uname -s)" = Linux ] && command -v Xvfb >/dev/null && command -v xvfb-run >/dev/null; then
    # Qt would otherwise prefer a Wayland session, or a platform without OpenGL.
    unset WAYLAND_DISPLAY
    QT_QPA_PLATFORM=xcb
    export QT_QPA_PLATFORM
    exec xvfb-run -a -s "-screen 0 1366x768x24 +extension GLX" "$@"
fi
exec "$@"
