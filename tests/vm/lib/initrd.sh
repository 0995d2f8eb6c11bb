# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# The initial file system, in two archives that the kernel unpacks over each other: one per kernel, kept
# in the cache (busybox, our init, kernel modules), and one per run (the command and its settings).
# Neither is compressed: unpacking under emulation costs more than reading.

# In the order of their dependencies; those a kernel has built in are not found, and not missed.
readonly GUEST_MODULES=(virtio_ring virtio virtio_mmio fuse virtiofs virtio_console overlay)

# ensure_initrd: sets `initrd` for `kernel_dir`. Its name holds a hash of what it is made from, so an
# edited init is never run from an old archive.
ensure_initrd() {
    local key
    key=$(cat "$vm_dir/guest/init" "$vm_dir/guest/session" "$vm_dir/lib/initrd.sh" "$busybox" | sha256sum)
    initrd=$kernel_dir/initrd-${key:0:16}
    [[ -s $initrd ]] || with_cache_lock build_initrd
}

build_initrd() {
    local tree module file
    tree=$(mktemp -d "$cache/initrd.XXXXXX")
    scratch+=("$tree")
    mkdir -p "$tree"/root/{bin,proc,sys,dev,lower,upper,new,modules,vm}
    cp "$busybox" "$tree/root/bin/busybox"
    cp "$vm_dir/guest/init" "$tree/root/init"
    cp "$vm_dir/guest/session" "$tree/root/vm/session"
    chmod 755 "$tree/root/init"
    for module in "${GUEST_MODULES[@]}"; do
        file=$(find "$kernel_dir/modules" -name "$module.ko*" | head -n 1)
        [[ -n $file ]] || continue
        decompress "$file" >"$tree/root/modules/$module.ko"
        echo "$module" >>"$tree/root/modules/order"
    done
    (cd "$tree/root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) >"$tree/archive"
    mv "$tree/archive" "$initrd"
    rm -rf "$tree"
}

decompress() {
    case $1 in
        *.xz) xz -dc "$1" ;;
        *.zst) zstd -dc "$1" ;;
        *.gz) gzip -dc "$1" ;;
        *) cat "$1" ;;
    esac
}

# quote WORD: the word as a POSIX shell reads it back, whatever it contains.
quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# write_initrd OUT COMMAND...: joins the cached archive with this run's. `settings` is for our own
# scripts; `command` is run by the machine's /bin/sh, because busybox's would prefer its own applets to
# the programs of the same name.
write_initrd() {
    local out=$1 tree=$1.tree
    shift
    mkdir -p "$tree/vm"
    write_settings >"$tree/vm/settings"
    write_command "$@" >"$tree/vm/command"
    cp "$initrd" "$out"
    (cd "$tree" && find vm | "$busybox" cpio -o -H newc 2>/dev/null) >>"$out"
    rm -rf "$tree"
}

write_settings() {
    local i
    printf 'tree=%s\n' "$(quote "$tree_dir")"
    printf 'kernel=%s\n' "$(quote "$kernel_dir")"
    printf 'directory=%s\n' "$(quote "$PWD")"
    printf 'merged=%s\n' "$merged"
    printf 'writable_count=%s\n' "${#writable[@]}"
    for i in "${!writable[@]}"; do printf 'writable_%s=%s\n' "$i" "$(quote "${writable[i]}")"; done
}

write_command() {
    local word
    printf 'cd %s || exit 126\n' "$(quote "$PWD")"
    for word in "${environment[@]}"; do printf 'export %s\n' "$(quote "$word")"; done
    printf 'exec'
    for word; do printf ' %s' "$(quote "$word")"; done
    printf '\n'
}
