#!/bin/sh
# Starts LiteLLM with the repository's config.yaml:  scr/start-proxy.sh [litellm's own options]
#
# Reads .env, lets rollcall bring config.yaml up to date when LITELLM_ENABLE_DISCOVERY is
# 1, true, yes or on, and then starts litellm on what is there, whatever became of that.
# The exit code is litellm's. scr/start-proxy.ps1 does the same.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
bom=$(printf '\357\273\277')

say() { printf 'start-proxy: %s\n' "$1" >&2; }

trim() {
    trimmed=${1#"${1%%[![:space:]]*}"}
    trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# NAME=value lines, also with export, quotes or a comment. What is already set wins.
read_dotenv() {
    while IFS= read -r line || [ -n "$line" ]; do
        trim "${line#"$bom"}"
        case $trimmed in 'export '*) trim "${trimmed#export }" ;; esac
        case $trimmed in *=*) line=$trimmed ;; *) continue ;; esac
        trim "${line%%=*}"
        name=$trimmed
        trim "${line#*=}"
        value=$trimmed
        case $name in '' | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
        if eval "[ -n \"\${$name+set}\" ]"; then continue; fi
        case $value in
            *'${'* | [\'\"]*\\*) value='' && say ".env: $name uses \${...} or escapes, which only \`rollcall start\` reads." ;;
            \'*\'*) value=${value#\'} && value=${value%%\'*} ;;
            \"*\"*) value=${value#\"} && value=${value%%\"*} ;;
            [\'\"]*) value='' && say ".env: $name spans several lines, which only \`rollcall start\` reads." ;;
            *) trim "${value%%[[:space:]]"#"*}" && value=$trimmed ;;
        esac
        if [ -n "$value" ]; then export "$name=$value"; fi
    done <"$1"
}

if [ -f "$root/.env" ] && [ "${LITELLM_MODE:-}" != PRODUCTION ]; then read_dotenv "$root/.env"; fi
config=${ROLLCALL_CONFIG:-$root/config.yaml}
policy=${ROLLCALL_POLICY:-}
if [ -z "$policy" ] && [ -f "$root/policy.yaml" ]; then policy=$root/policy.yaml; fi
PATH=$PATH:$root/.venv/bin

trim "${LITELLM_ENABLE_DISCOVERY:-}"
case $trimmed in
    1 | [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn])
        if command -v rollcall >/dev/null; then
            rollcall apply --config "$config" ${policy:+--policy "$policy"} >&2
            code=$?
            case $code in
                0) ;;
                130 | 143) exit "$code" ;;
                *) say "rollcall apply ended with $code; LiteLLM starts on $config as it is." ;;
            esac
        else
            say "rollcall was not found (pip install litellm-rollcall); LiteLLM starts on $config as it is."
        fi
        ;;
    *) say "$config is used as it is; LITELLM_ENABLE_DISCOVERY=1 brings it up to date first." ;;
esac

PYTHONUTF8=${PYTHONUTF8:-1} # litellm opens config.yaml in the machine's code page otherwise
export PYTHONUTF8
litellm=${ROLLCALL_LITELLM:-litellm}
if ! command -v "$litellm" >/dev/null; then
    say "$litellm was not found."
    say "Install it with: pip install 'litellm[proxy]' (or name it in ROLLCALL_LITELLM)."
    exit 127
fi
exec "$litellm" --config "$config" "$@"
