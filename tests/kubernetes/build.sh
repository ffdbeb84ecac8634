#!/usr/bin/env bash
# Builds kube-apiserver and kube-controller-manager 1.20 from Debian's source package, and says where
# they are. Six minutes on two free cores, once per machine: the folder is kept.
#
# Needs Debian 12, root, and Debian's archive. Exit 77, and two lines, where that is not so.
set -euo pipefail

home=${ROLLCALL_KUBERNETES:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall-tests/kubernetes-1.20}
made=$home/bin
have() { [ -x "$made/kube-apiserver" ] && [ -x "$made/kube-controller-manager" ] && command -v etcd >/dev/null; }
not_here() {
    echo "No kube-apiserver to be had here: $1." >&2
    echo "Run it on Debian 12 as root, with its archive within reach." >&2
    exit 77
}

if have; then echo "$made"; exit; fi
command -v apt-get >/dev/null || not_here "this is no Debian"
[ "$(id -u)" = 0 ] || not_here "only root can install the compiler and etcd"

mkdir -p "$home/lists/partial" "$made"
cd "$home"
{
    # The sources of the archives this machine already knows, in lists of our own.
    apt-get update || true
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
        | grep -i debian | sort -u > sources.list
    apt=(apt-get --yes -o Dir::Etc::sourcelist="$home/sources.list" -o Dir::Etc::sourceparts=/dev/null
         -o Dir::State::lists="$home/lists")
    apt-get install --yes --no-install-recommends dpkg-dev etcd-server golang-1.19-go
    "${apt[@]}" update
    [ -d source ] || { { "${apt[@]}" source kubernetes && mv kubernetes-1.20*/ source; }; }
} >&2 || not_here "Debian's archive gives no source of it, or no compiler"

export GOPATH=$home/go GO111MODULE=off CGO_ENABLED=0 GOCACHE=$home/cache PATH=/usr/lib/go-1.19/bin:$PATH
mkdir -p go/src/k8s.io
ln -sfn "$home/source" go/src/k8s.io/kubernetes
cd go/src/k8s.io/kubernetes
{
    # The one generated file that the package lacks: the API's schema.
    go build -p 2 -o "$home/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    packages=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg cmd plugin vendor/k8s.io/*/ \
        | grep -v 'code-generator/\|sample-apiserver/\|zz_generated\|kube-openapi\|_test.go' \
        | xargs -n1 dirname | LC_ALL=C sort -u | sed 's|^|k8s.io/kubernetes/|' | paste -sd,)
    "$home/openapi-gen" -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi \
        -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt \
        -r "$home/violations" --output-base "$GOPATH/src"
    flags="-s -w"
    for package in component-base/version client-go/pkg/version; do
        for value in gitVersion=v1.20.2 gitMajor=1 gitMinor=20; do
            flags="$flags -X k8s.io/kubernetes/vendor/k8s.io/$package.$value"
        done
    done
    go build -p 2 -ldflags "$flags" -o "$made/" \
        k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
} >&2
echo "$made"
