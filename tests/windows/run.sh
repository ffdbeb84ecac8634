#!/usr/bin/env bash
# Runs mypy, the demo and the test suite on Windows' Python, in the lab that lab.sh builds.
#
#   tests/windows/run.sh                        everything (`make test-windows`)
#   tests/windows/run.sh --platform             the tests of what touches the platform, ten minutes
#                                               at most: for CI
#   tests/windows/run.sh tests/test_store.py    these tests
#
# What failed is run once more, alone: under load Wine is slow by turns. Each skipped test names its
# reason, Windows' or Wine's; skips.txt has how many of each there are. Ends with 77 where there can
# be no lab, with 124 where the ten minutes were not enough.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv-windows
python=$venv/Scripts/python.exe
lab=tests/windows/lab.sh
platform=(
    tests/test_{launch,launch_windows,port,start,start_always,start_launch,own_proxy,scripts,shells}.py
    tests/test_{store,store_in_place,store_in_use,store_lock,store_permissions,store_state}.py
    tests/test_{store_windows,odd_paths,text_files,variables,write_to}.py
    tests/test_{cli_endings,cli_streams,doctor,fetch,service_serve}.py
)

prepare() {
    if [ -e $venv/.installed ] && [ ! pyproject.toml -nt $venv/.installed ]; then return; fi
    rm -rf $venv
    $lab python -m venv $venv || return
    # numpy, for LiteLLM: newer ones call what Wine's C runtime lacks.
    $lab $python -m pip install --quiet --disable-pip-version-check --editable '.[test]' numpy==2.1.3 \
        || return
    # tiktoken's tables, which LiteLLM's wheel for Windows holds with CRLF: their digest would be
    # another, and LiteLLM fetch them anew.
    sed -i 's/\r$//' $venv/Lib/site-packages/litellm/litellm_core_utils/tokenizers/*[0-9a-f] || return
    touch $venv/.installed
}

suite() { # FILE PYTEST-ARGUMENTS...
    "${within[@]}" $lab $python -m pytest -q -o cache_dir=$venv/pytest --junit-xml="$venv/$1" "${@:2}"
}

code=0
prepare || code=$?
[ $code = 0 ] || { [ $code = 77 ] || echo "Windows' Python could not be set up in the lab" >&2; exit 77; }

within=()
whole=
case ${1-} in
    --platform)
        shift
        within=(timeout --kill-after=10 600)
        $lab $venv/Scripts/rollcall.exe demo >/dev/null
        set -- -m 'not litellm' "${platform[@]}" "$@"
        ;;
    '')
        whole=--all
        $lab $python -m mypy --cache-dir .mypy_cache/windows
        $lab $venv/Scripts/rollcall.exe demo
        ;;
esac
rm -f $venv/first.xml $venv/again.xml
suite first.xml -n 2 "$@" || code=$?
if [ $code = 1 ]; then
    echo 'what failed, once more:'
    code=0
    suite again.xml --last-failed --last-failed-no-failures none "$@" || code=$?
fi
[ $code = 0 ] || exit $code
python3 tests/windows/skips.py $venv/first.xml $whole
