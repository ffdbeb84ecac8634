#!/bin/sh
# Starts LiteLLM with the repository's config.yaml:  scr/start-proxy.sh [litellm's own options]
#
# rollcall prepares the start (.env, discovery when LITELLM_ENABLE_DISCOVERY is 1, true, yes or on);
# litellm is then started on what is there, whatever became of that, and its exit code is ours.
# A config named with --config counts for both. With --dry-run nothing is started: it shows what
# discovery would change. scr/start-proxy.ps1 does the same; docs/START.md tells more.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/scr/dotenv.sh"
PATH=$PATH:$root/.venv/bin
if [ -f "$root/.env" ]; then export ROLLCALL_ENV_FILE="${ROLLCALL_ENV_FILE:-$root/.env}"; fi

config=${ROLLCALL_CONFIG:-$root/config.yaml} given='' dry_run='' previous=''
for option; do
    case $previous in --config | -c) given=$option ;; esac
    case $option in
        --config=*) given=${option#--config=} ;;
        --config | -c) given=${given:-$config} ;;
        -c?*) given=${option#-c} ;;
        --dry-run) dry_run=yes ;;
    esac
    previous=$option
done
config=${given:-$config}

# rollcall, else that of a Python; two words where it is the latter.
rollcall=''
if command -v rollcall >/dev/null; then
    rollcall=rollcall
else
    for python in python3 python; do
        if $python -m rollcall --version >/dev/null 2>&1; then rollcall="$python -m rollcall" && break; fi
    done
fi
as_it_is="litellm starts on $config as it is"
prepared='' code=127
if [ -z "$rollcall" ]; then
    say "rollcall was not found (pip install \"$root\"); $as_it_is."
elif [ -n "$dry_run" ]; then
    exec $rollcall plan --config "$config"
else
    prepared=$($rollcall start --prepare sh --config "$config" -- "$@")
    code=$?
    case $code in 130 | 143) exit "$code" ;; esac
    [ -n "$prepared" ] || say "rollcall ended with $code; $as_it_is."
fi
[ -z "$dry_run" ] || exit "$code"

if [ -n "$prepared" ]; then
    eval "$prepared"
elif [ "${LITELLM_MODE:-DEV}" = DEV ] && [ -f "${ROLLCALL_ENV_FILE:-}" ]; then
    read_dotenv "$ROLLCALL_ENV_FILE"
fi
[ -z "${ROLLCALL_REFUSED:-}" ] || exit 1

litellm=${ROLLCALL_LITELLM:-litellm}
if ! command -v "$litellm" >/dev/null; then
    say "$litellm was not found."
    say "Install it with: pip install \"litellm[proxy]\" (or name it in ROLLCALL_LITELLM)."
    exit 127
fi
[ -n "$given" ] || set -- --config "${ROLLCALL_CONFIG:-$config}" "$@"
export PYTHONUTF8="${PYTHONUTF8:-1}"
exec "$litellm" "$@"
