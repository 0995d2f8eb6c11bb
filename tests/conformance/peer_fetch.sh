# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables shared with the files of tests/vm/lib
#
# Debian's bcc, its libraries, its Lua launcher, its Python and a kernel's headers, in the cache of tests/vm. Nothing is installed.

readonly SERIES=6.1 SUITE=bookworm

# fetch_peer (under the lock): cache/conformance/peer/{tree,headers,versions}.
fetch_peer() {
    local peer=$cache/conformance/peer dir headers
    [[ ! -e $peer/versions ]] || return 0
    dir=$(mktemp -d "$cache/fetch.XXXXXX")
    scratch+=("$dir")
    apt_open "$dir/apt" "$SUITE"
    mkdir -p "$dir/debs" "$dir/peer/tree" "$dir/peer/headers"
    headers=$(apt_packages "^linux-headers-${SERIES//./\\.}\.[0-9].*-[0-9]+-cloud-amd64\$" | tail -n 1)
    say "fetching bcc, its libraries and $headers (once, into $cache)"
    # The libraries that bcc itself depends on; the C library and what comes with it are this machine's.
    mapfile -t libraries < <(apt_depends libbpfcc '^lib(bpf|clang|llvm|elf)')
    # LLVM's own, in turn.
    mapfile -t more < <(for one in "${libraries[@]}"; do apt_depends "$one" '^lib(llvm|z3|tinfo|edit|bsd|xml2|md|icu)'; done)
    apt_download "$dir/debs" libbpfcc "${libraries[@]}" "${more[@]}" "$headers" "${headers%-cloud-amd64}-common"
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/peer/tree"; done
    # Two folders that bcc is to see as one.
    cp -a "$dir/peer/tree/usr/src/${headers%-cloud-amd64}-common/." "$dir/peer/headers/"
    cp -a "$dir/peer/tree/usr/src/$headers/." "$dir/peer/headers/"
    printf 'bcc %s, %s\n' "$(dpkg-deb -f "$(find_one "$dir/debs" -name 'libbpfcc_*')" Version)" "$headers" >"$dir/peer/versions"
    rm -rf "$peer"
    mv "$dir/peer" "$peer"
}

# fetch_peer_lua (under the lock): cache/conformance/peer-lua/{tree,version}.
fetch_peer_lua() {
    local peer=$cache/conformance/peer-lua dir deb
    [[ ! -e $peer/version ]] || return 0
    dir=$(mktemp -d "$cache/fetch.XXXXXX")
    scratch+=("$dir")
    apt_open "$dir/apt" "$SUITE"
    mkdir -p "$dir/debs" "$dir/peer/tree"
    say "fetching bpfcc-lua (once, into $cache)"
    apt_download "$dir/debs" bpfcc-lua
    deb=$(find_one "$dir/debs" -name '*.deb')
    dpkg-deb -x "$deb" "$dir/peer/tree"
    printf 'bpfcc-lua %s\n' "$(dpkg-deb -f "$deb" Version)" >"$dir/peer/version"
    rm -rf "$peer"
    mv "$dir/peer" "$peer"
}

# fetch_peer_python (under the lock): cache/conformance/peer/python.
fetch_peer_python() {
    local peer=$cache/conformance/peer dir
    [[ ! -e $peer/python ]] || return 0
    dir=$(mktemp -d "$cache/fetch.XXXXXX")
    scratch+=("$dir")
    apt_open "$dir/apt" "$SUITE"
    mkdir -p "$dir/debs" "$dir/python"
    say "fetching python3-bpfcc (once, into $cache)"
    apt_download "$dir/debs" python3-bpfcc
    dpkg-deb -x "$(find_one "$dir/debs" -name '*.deb')" "$dir/python"
    mv "$dir/python" "$peer/python"
}
