# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# Kernels: which ones there are, fetched from Debian once, kept in the cache as
#   kernels/VERSION/{vmlinux,config,modules/VERSION/}     (VERSION as `uname -r` will print it)

# Sets `suites` to the Debian suites that carry a kernel, the likeliest first. Exact versions come and
# go there, so the newest that matches is looked up when it is fetched.
kernel_suites() {
    case $1 in
        5.10) suites=(bullseye) ;;
        6.1) suites=(bookworm) ;;
        6.12) suites=(trixie bookworm-backports) ;;
        7.2) suites=(trixie-backports forky sid) ;;
        *) die "no kernel \`$1\`" "known kernels: 5.10, 6.1, 6.12, 7.2" ;;
    esac
}

# open_cache DIR: sets `cache` (absolute).
open_cache() {
    mkdir -p "$1/kernels" 2>/dev/null || die "cannot make the cache directory $1" "name another in BPFLUA_VM_CACHE"
    cache=$(cd "$1" && pwd -P)
}

# with_cache_lock COMMAND...: one at a time over all runs that share the cache. Children inherit the
# lock: nothing that outlives the command may be started in it.
with_cache_lock() {
    local lock
    exec {lock}>>"$cache/lock"
    if ! flock --nonblock "$lock"; then
        say "waiting for another run that is filling $cache"
        flock "$lock"
    fi
    "$@"
    exec {lock}>&-
}

# Sets `kernel_dir` to the newest cached kernel of a series, or to nothing.
find_kernel() {
    kernel_dir=$(find "$cache/kernels" -mindepth 1 -maxdepth 1 -name "$1.*" | sort -V | tail -n 1)
}

# ensure_kernel SERIES: sets `kernel_dir`, fetching only what is not cached.
ensure_kernel() {
    kernel_suites "$1"
    find_kernel "$1"
    [[ -n $kernel_dir ]] || with_cache_lock fetch_kernel "$1" missing
}

# fetch_kernel SERIES missing|newer (under the lock): sets `kernel_dir`.
fetch_kernel() {
    local series=$1 wanted=$2 dir image version
    find_kernel "$series"
    # Another run may have fetched it while this one waited.
    [[ $wanted == missing && -n $kernel_dir ]] && return
    dir=$(mktemp -d "$cache/fetch.XXXXXX")
    scratch+=("$dir")
    find_image "$dir" "$series"
    version=${image#linux-image-}
    if [[ $kernel_dir != "$cache/kernels/$version" ]]; then
        say "fetching kernel $version (once, into $cache)"
        unpack_kernel "$dir" "$image" "$version"
        rm -rf "$kernel_dir"
        mv "$dir/kernel" "$cache/kernels/$version"
        kernel_dir=$cache/kernels/$version
    fi
    rm -rf "$dir"
}

# Sets `image` to the newest image package of a series. Cloud images are the small ones, and have what
# a VM needs.
find_image() {
    local dir=$1 series=$2 suite
    for suite in "${suites[@]}"; do
        apt_open "$dir/apt-$suite" "$suite"
        image=$(apt_packages "^linux-image-${series//./\\.}\.[0-9].*-cloud-amd64\$" | tail -n 1) || true
        [[ -n $image ]] && return
    done
    sed -n '/^[EW]:/p' "$dir"/apt-*/update.log >&2
    die "no kernel $series in the Debian suites ${suites[*]}" \
        "the network or the machine's apt sources may be at fault (BPFLUA_VM_SOURCES names other sources)"
}

# unpack_kernel DIR IMAGE VERSION: fills DIR/kernel. Before 7.x the image package has everything; since
# then it depends on a package each for the kernel, its configuration and its modules.
unpack_kernel() {
    local dir=$1 image=$2 version=$3 deb packages
    mapfile -t packages < <(apt_depends "$image" "^linux-(base|binary|modules)-${version//[.+]/\\&}\$")
    mkdir "$dir/debs" "$dir/tree" "$dir/kernel" "$dir/kernel/modules"
    apt_download "$dir/debs" "$image" "${packages[@]}"
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/tree"; done
    extract_vmlinux "$(find_one "$dir/tree" -type f -name 'vmlinuz*')" "$dir/kernel/vmlinux"
    cp "$(find_one "$dir/tree" -type f -name 'config*' \( -path '*/boot/*' -o -path "*/modules/$version/*" \))" \
        "$dir/kernel/config"
    # The modules may be spread over lib/ and usr/lib/.
    local modules
    while IFS= read -r modules; do
        cp -a "$modules" "$dir/kernel/modules/"
    done < <(find "$dir/tree" -type d -path '*/lib/modules/*' -name "$version")
}

find_one() {
    local found
    found=$(find "$@" | head -n 1)
    [[ -n $found ]] || die "the kernel package has no file as in: ${*:2}"
    printf '%s\n' "$found"
}

# extract_vmlinux BZIMAGE OUT: a bzImage unpacks itself at every boot, which emulation makes slow
# (0.3 to 0.8 s); QEMU starts the ELF inside directly (PVH). Its place is in the setup header, boot
# protocol 2.08: Documentation/arch/x86/boot.rst.
extract_vmlinux() {
    local image=$1 out=$2 sectors offset length
    [[ $(read_field "$image" 0x202 a 4) == HdrS ]] || die "$image is no bzImage"
    sectors=$(read_field "$image" 0x1f1 u1 1)
    ((sectors > 0)) || sectors=4
    offset=$(($(read_field "$image" 0x248 u4 4) + (sectors + 1) * 512))
    length=$(read_field "$image" 0x24c u4 4)
    # All but gzip are followed by the unpacked size, which their own tools take for garbage; the
    # kernel's xz stream ends early for the xz tool. What comes out is checked instead.
    case $(read_field "$image" "$offset" x1 4) in
        02214c18) payload "$image" "$offset" $((length - 4)) | lz4 -dc - ;;
        28b52ffd) payload "$image" "$offset" $((length - 4)) | zstd -dc ;;
        1f8b*) payload "$image" "$offset" "$length" | gzip -dc ;;
        fd377a58) payload "$image" "$offset" "$length" | xz -dc --single-stream 2>/dev/null || true ;;
        *) die "$image is compressed in a way this harness does not know" ;;
    esac >"$out"
    [[ $(read_field "$out" 1 a 3) == ELF ]] || die "no kernel came out of $image"
}

# read_field FILE OFFSET TYPE BYTES: one number (u1, u4), bytes in hexadecimal (x1) or text (a).
read_field() {
    if [[ $3 == a ]]; then
        dd if="$1" iflag=skip_bytes,count_bytes skip="$(($2))" count="$4" status=none | tr -d '\0'
    else
        od -An -v "-t$3" -j "$(($2))" -N "$4" "$1" | tr -d ' '
    fi
}

payload() { dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" bs=1M status=none; }
