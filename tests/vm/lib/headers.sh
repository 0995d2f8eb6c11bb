# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# The headers of a cached kernel, as Debian packages them: two folders under kernels/VERSION/headers/usr/src, one of
# this kernel's own and one that the kernels of its version have in common.

# ensure_headers: sets `headers_dir` to the folder of the kernel's own headers, fetching only what is not cached.
ensure_headers() {
    find_headers
    [[ -n $headers_dir ]] || with_cache_lock fetch_headers
}

find_headers() {
    headers_dir=$kernel_dir/headers/usr/src/linux-headers-$(basename "$kernel_dir")
    [[ -d $headers_dir ]] || headers_dir=
}

# fetch_headers (under the lock): fills kernels/VERSION/headers.
fetch_headers() {
    local dir suite version packages deb
    find_headers
    # Another run may have fetched them while this one waited.
    [[ -n $headers_dir ]] && return
    version=$(basename "$kernel_dir")
    dir=$(mktemp -d "$cache/fetch.XXXXXX")
    scratch+=("$dir")
    for suite in "${suites[@]}"; do
        apt_open "$dir/apt-$suite" "$suite"
        mapfile -t packages < <(apt_packages "^linux-headers-${version//[.+]/\\&}\$")
        ((${#packages[@]} > 0)) && break
    done
    ((${#packages[@]} > 0)) || die "no package linux-headers-$version in the Debian suites ${suites[*]}" \
        "the kernel in the cache may be older than the archive: tests/vm/fetch --refresh"
    mapfile -t -O 1 packages < <(apt_depends "${packages[0]}" '^linux-headers-.*-common$')
    say "fetching headers of kernel $version (once, into $cache)"
    mkdir "$dir/debs" "$dir/tree"
    apt_download "$dir/debs" "${packages[@]}"
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/tree"; done
    # The C files of the build system and the links into /lib are of no use here.
    rm -rf "$kernel_dir/headers" "$dir/tree/usr/share" "$dir/tree/lib"
    mv "$dir/tree" "$kernel_dir/headers"
    rm -rf "$dir"
    find_headers
}
