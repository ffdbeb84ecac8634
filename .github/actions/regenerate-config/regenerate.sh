#!/usr/bin/env bash
# Plans; where config.yaml would change, applies that very plan, commits, and opens or updates one
# pull request. Fails where nobody could be asked, and where a guard refused the plan.
#
# ROLLCALL_CONFIG, ROLLCALL_POLICY, LITELLM_DISCOVERY_MODE and the keys are rollcall's own
# variables; BRANCH, BASE, TITLE and GH_TOKEN are about the pull request.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
plan=$work/plan.json body=$work/body.md

tell() { echo "$1=$2" >>"${GITHUB_OUTPUT:-/dev/null}"; }

open_pull_request() {
    gh pr list --head "$BRANCH" --base "$BASE" --state open --json number --jq '.[0].number // empty'
}

# With --check the exit code says what is ahead; `||` keeps it from ending this script.
code=0
rollcall plan --check --out "$plan" --markdown >"$body" || code=$?
tell exit-code "$code"
tell changed "$([ "$code" = 4 ] && echo true || echo false)"
cat "$body" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

case $code in
    0)
        echo "$ROLLCALL_CONFIG is up to date."
        number=$(open_pull_request)
        if [ -n "$number" ]; then
            gh pr close "$number" --delete-branch --comment "$BASE is up to date: nothing is left to change."
        fi
        exit 0
        ;;
    4) ;;
    3)
        echo "::error title=A guard refused the plan::The summary of this job says which one, and how to accept it."
        exit 3
        ;;
    5)
        echo "::error title=No provider could be asked::Check the keys in the repository's secrets and the log above. $ROLLCALL_CONFIG is unchanged."
        exit 5
        ;;
    *)
        echo "::error title=rollcall plan ended with $code::The log above says why. $ROLLCALL_CONFIG is unchanged."
        exit "$code"
        ;;
esac

rollcall apply "$plan" --quiet
git add -- "$ROLLCALL_CONFIG"
git -c user.name="rollcall" -c user.email="rollcall@users.noreply.github.com" \
    commit --quiet --message "$TITLE" -- "$ROLLCALL_CONFIG"

# The same content as yesterday's is not pushed again: no new notification, no new check.
if git fetch --quiet --depth=1 origin "$BRANCH" 2>/dev/null && git diff --quiet FETCH_HEAD HEAD; then
    echo "$BRANCH has this content already."
else
    git push --quiet --force origin "HEAD:refs/heads/$BRANCH"
fi

# GitHub takes at most 65,536 characters as a body.
if [ "$(wc -c <"$body")" -gt 60000 ]; then
    # iconv drops a character that was cut in half, and calls that a failure.
    head -c 60000 "$body" | iconv -c -f UTF-8 -t UTF-8 >"$body.short" 2>/dev/null || true
    printf '\n\n(The rest is in the summary of the job.)\n' >>"$body.short"
    body=$body.short
fi
number=$(open_pull_request)
if [ -n "$number" ]; then
    gh pr edit "$number" --title "$TITLE" --body-file "$body"
    tell pull-request "$(gh pr view "$number" --json url --jq .url)"
else
    tell pull-request "$(gh pr create --head "$BRANCH" --base "$BASE" --title "$TITLE" --body-file "$body")"
fi
