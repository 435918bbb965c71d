#!/usr/bin/env bash
# A real Kubernetes API server, built from Debian's source package, with Debian's etcd, on loopback, for the tests of Kubernetes.
#
#   kubernetes.sh build FOLDER   put kube-apiserver into FOLDER: about ten minutes of two cores, 3 GB of disk meanwhile; nothing where it is there
#   kubernetes.sh start FOLDER   start both, with an empty store, and print the path of a kubeconfig of an administrator
#   kubernetes.sh stop FOLDER    stop both
#
# There is no kubelet and no controller: nodes are objects that a test makes, and pods run when a test says so in their status.
set -euo pipefail
case "${1-}" in build | start | stop) ;; *)
    echo "kubernetes.sh: usage: kubernetes.sh build|start|stop FOLDER" >&2
    exit 2
    ;;
esac
mkdir -p "${2:?kubernetes.sh: name a folder}"
folder=$(cd "$2" && pwd)
debian="$(dirname "$0")/../guest/debian.sh"
run="$folder/run"
api=${KUBERNETES_PORT:-26443}
store=$((api - 1)) peer=$((api - 2))

build() {
    [ -x "$folder/kube-apiserver" ] && command -v etcd >/dev/null && return
    if ! command -v apt-get >/dev/null; then
        echo "kubernetes.sh: it is built from Debian's source package, and there is no apt-get here" >&2
        exit 1
    fi
    local sources="$folder/sources"
    # apt reads the source packages' list from a folder of its own: the machine's settings stay as they are.
    mkdir -p "$sources/lists/partial"
    sed 's/^Types: .*/Types: deb-src/; s/^deb /deb-src /' /etc/apt/sources.list.d/debian.sources >"$sources/debian.sources" 2>/dev/null ||
        sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$sources/debian.list"
    echo "kubernetes.sh: installing Go and etcd" >&2
    "$debian" golang-go etcd-server rsync make gcc libc6-dev
    local settings=(-o Dir::Etc::sourceparts="$sources" -o Dir::Etc::sourcelist=/dev/null -o Dir::State::lists="$sources/lists" -o APT::Sandbox::User=root)
    apt-get "${settings[@]}" update -qq
    local tree="$folder/go/src/k8s.io"
    rm -rf "$folder/go" && mkdir -p "$tree"
    (cd "$tree" && apt-get "${settings[@]}" source -qq --download-only kubernetes && tar xzf kubernetes_*.orig.tar.gz && mv kubernetes-*/ kubernetes)
    local version
    version=$(basename "$tree"/kubernetes_*.orig.tar.gz .orig.tar.gz) && version=${version#kubernetes_}
    echo "kubernetes.sh: building kube-apiserver $version; its log is $folder/build.log" >&2
    (cd "$tree/kubernetes" && GOPATH="$folder/go" GO111MODULE=off KUBE_GIT_VERSION="v$version" KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=archive \
        KUBE_GIT_MAJOR="${version%%.*}" KUBE_GIT_MINOR="$(cut -d. -f2 <<<"$version")" \
        nice make all WHAT=cmd/kube-apiserver >"$folder/build.log" 2>&1) || { tail -n 20 "$folder/build.log" >&2; exit 1; }
    cp "$tree"/kubernetes/_output/local/bin/linux/*/kube-apiserver "$folder/kube-apiserver"
    chmod -R u+w "$folder/go" && rm -rf "$folder/go" "$sources"
}

start() {
    stop
    rm -rf "$run" && mkdir -p "$run" && cd "$run"
    local token
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && echo "$token,admin,admin,\"system:masters\"" >tokens.csv && openssl genrsa -out accounts.key 2048 2>/dev/null)
    nohup etcd --data-dir etcd --unsafe-no-fsync --listen-client-urls "http://127.0.0.1:$store" --advertise-client-urls "http://127.0.0.1:$store" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        --initial-cluster "default=http://127.0.0.1:$peer" >etcd.log 2>&1 &
    echo $! >etcd.pid
    nohup "$folder/kube-apiserver" --etcd-servers="http://127.0.0.1:$store" --secure-port="$api" --bind-address=127.0.0.1 \
        --advertise-address=127.0.0.1 --cert-dir=certificates --token-auth-file=tokens.csv --service-account-key-file=accounts.key \
        --service-account-signing-key-file=accounts.key --service-account-issuer="https://127.0.0.1:$api" --authorization-mode=RBAC \
        --service-cluster-ip-range=10.0.0.0/24 --disable-admission-plugins=ServiceAccount --watch-cache=true >api.log 2>&1 &
    echo $! >api.pid
    for _ in $(seq 120); do
        sleep 1
        if [ "$(curl -sk -H "Authorization: Bearer $token" "https://127.0.0.1:$api/readyz")" = ok ]; then
            # Of a certificate that the server signed itself, a client believes the certificate only.
            (umask 077 && cat >kubeconfig <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: loopback
contexts: [{name: loopback, context: {cluster: loopback, user: admin}}]
clusters: [{name: loopback, cluster: {server: "https://127.0.0.1:$api", certificate-authority: "$run/certificates/apiserver.crt"}}]
users: [{name: admin, user: {token: "$token"}}]
KUBECONFIG
            )
            echo "$run/kubeconfig"
            return
        fi
    done
    echo "kubernetes.sh: the API server is not ready after two minutes" >&2
    tail -n 5 api.log etcd.log >&2
    stop
    exit 1
}

stop() {
    local one
    for one in api etcd; do
        [ ! -f "$run/$one.pid" ] || kill "$(cat "$run/$one.pid")" 2>/dev/null || true
        rm -f "$run/$one.pid"
    done
}

"$1"
