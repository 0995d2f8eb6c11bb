# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# One boot: file servers, QEMU, and what comes back.

# comma VALUE: for QEMU's comma-separated options. fuse_comma: for the C virtiofsd's.
comma() { printf '%s' "${1//,/,,}"; }
fuse_comma() { local v=${1//\\/\\\\}; printf '%s' "${v//,/\\,}"; }

# Everything started here dies with this process, even when that is killed without a chance to clean up.
start() {
    setpriv --pdeathsig TERM "$@" &
    children+=($!)
}

# share NAME DIR CACHE: serves DIR on the socket NAME.
share() {
    local socket=$run_dir/$1.sock log=$run_dir/$1.log
    case $virtiofsd_kind in
        c)
            start "$virtiofsd" --socket-path="$socket" -o "source=$(fuse_comma "$2")" -o "cache=$3" \
                -o sandbox=chroot -o log_level=err --thread-pool-size=0 -f >"$log" 2>&1
            ;;
        rust)
            local sandbox=chroot
            ((EUID == 0)) || sandbox=none
            start "$virtiofsd" --socket-path="$socket" --shared-dir="$2" --cache="$3" \
                --sandbox="$sandbox" --no-announce-submounts --log-level=error --thread-pool-size=0 >"$log" 2>&1
            ;;
    esac
    sockets+=("$socket")
}

# A VM has its own view of the files for as long as it runs, and starts with none: `always` never asks
# again, which is fast, and what changed between two runs is seen. Writable directories are for passing
# results, so there both sides ask.
start_shares() {
    local i socket tries=0
    if [[ $("$virtiofsd" --help 2>&1) == *--shared-dir* ]]; then virtiofsd_kind=rust; else virtiofsd_kind=c; fi
    share root / always
    for i in "${!writable[@]}"; do share "writable$i" "${writable[i]}" auto; done
    for socket in "${sockets[@]}"; do
        until [[ -S $socket ]]; do
            tries=$((tries + 1))
            if ((tries > 500)) || ! kill -0 "${children[0]}" 2>/dev/null; then
                cat "${socket%.sock}.log" >&2
                die "the file server $virtiofsd did not start"
            fi
            sleep 0.02
        done
    done
}

# The command's streams come through named pipes. QEMU makes the descriptor it writes to non-blocking,
# which must not happen to one this process shares with its own caller.
start_relays() {
    mkfifo "$run_dir/out" "$run_dir/err"
    # Held open, so that neither side waits for the other to appear.
    exec {out_hold}<>"$run_dir/out" {err_hold}<>"$run_dir/err"
    relay out >&1 {out_hold}>&- {err_hold}>&- &
    relays=($!)
    relay err >&2 {out_hold}>&- {err_hold}>&- &
    relays+=($!)
}

# A reader that went away (`| head`) ends the VM, as it would end the command.
relay() {
    trap '' INT
    cat <"$run_dir/$1" || kill -PIPE $$ 2>/dev/null
}

end_relays() {
    exec {out_hold}>&- {err_hold}>&-
    wait "${relays[@]}" 2>/dev/null || true
    relays=()
}

# kernel_arguments ACCEL: self-tests of the crypto code, CPU mitigations and all security modules but
# BPF's are left out: they cost boot time. A kernel that stumbles ends the VM at once.
kernel_arguments() {
    local words=(console=ttyS0 panic=-1 oops=panic reboot=t mitigations=off nokaslr audit=0
        cryptomgr.notests lsm=bpf)
    [[ $1 == tcg ]] && words+=(tsc=reliable "tsc_early_khz=$(tsc_khz)")
    [[ -n $console ]] || words+=(quiet loglevel=1)
    printf '%s ' "${words[@]}" "${append[@]}"
}

# Sets `qemu` to the command line. microvm has no PCI and little ACPI to go through (a second less), and
# finds its virtio devices through what ACPI is left; they must not be of the old kind, which cannot
# serve files. Few CPU features mean fewer places to patch at boot. QEMU 7.2 emulates cmpxchg16b with
# wrong flags now and then, which killed one boot of 6.12 in ten; kernels do without it.
qemu_command() {
    local accel=$1 i cpu=qemu64,-cx16 accel_options=tcg
    ((cpus > 1)) && accel_options=tcg,thread=multi
    [[ $accel == kvm ]] && cpu=host accel_options=kvm
    # shellcheck disable=SC2054 # the commas are QEMU's
    qemu=(qemu-system-x86_64 -M microvm,memory-backend=ram -accel "$accel_options" -cpu "$cpu" -smp "$cpus"
        -m "$memory_mb" -object "memory-backend-memfd,id=ram,size=${memory_mb}M,share=on"
        -nodefaults -no-user-config -no-reboot -display none -global virtio-mmio.force-legacy=false
        -serial "file:$(comma "${console:-$run_dir/console}")"
        -device virtio-serial-device,max_ports=4)
    port 1 "$run_dir/out"
    port 2 "$run_dir/err"
    port 3 "$run_dir/status"
    file_share root
    for i in "${!writable[@]}"; do file_share "writable$i"; done
    qemu+=(-kernel "$kernel_dir/vmlinux" -initrd "$run_dir/initrd" -append "$(kernel_arguments "$accel")")
}

port() {
    qemu+=(-chardev "file,id=port$1,path=$(comma "$2")" -device "virtserialport,chardev=port$1,nr=$1")
}

file_share() {
    qemu+=(-chardev "socket,id=$1,path=$(comma "$run_dir/$1.sock")"
        -device "vhost-user-fs-device,chardev=$1,tag=$1")
}

# boot ACCEL SECONDS COMMAND...: sets `boot_status` to the command's status, to 124 when the time is
# over, to 120 when the VM ended without one. QEMU's own words are in run_dir/qemu.log.
boot() {
    local accel=$1 seconds=$2 code=0
    shift 2
    run_dir=$(mktemp -d "${TMPDIR:-/tmp}/bpflua-vm.XXXXXX")
    scratch+=("$run_dir")
    sockets=() children=()
    write_initrd "$run_dir/initrd" "$@"
    start_shares
    start_relays
    qemu_command "$accel"
    start timeout --kill-after=5 "$seconds" "${qemu[@]}" </dev/null >"$run_dir/qemu.log" 2>&1 \
        {out_hold}>&- {err_hold}>&-
    wait "${children[-1]}" || code=$?
    end_relays
    boot_status=120
    if [[ -s $run_dir/status ]]; then
        boot_status=$(<"$run_dir/status")
    elif ((code == 124 || code == 137)); then
        boot_status=124
    fi
}

# Ends what still runs and removes what is temporary; runs however this process ends.
clean_up() {
    local pid
    trap '' INT TERM HUP PIPE
    for pid in "${children[@]}" "${relays[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${children[@]}" "${relays[@]}"; do wait "$pid" 2>/dev/null || true; done
    ((${#scratch[@]} == 0)) || rm -rf "${scratch[@]}"
}

clean_up_at_exit() {
    children=() relays=() scratch=()
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    trap 'exit 141' PIPE
}

# ensure_accel: sets `accel`. /dev/kvm can exist and still not run a kernel (nested or emulated
# virtualisation), so the answer comes from a boot, once per host kernel and QEMU.
ensure_accel() {
    accel=${BPFLUA_VM_ACCEL:-}
    [[ -z $accel ]] || return 0
    accel=tcg
    [[ -w /dev/kvm ]] || return 0
    local verdict
    verdict=$cache/accel-$(uname -r)-$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
    [[ -s $verdict ]] || with_cache_lock try_kvm "$verdict"
    accel=$(<"$verdict")
}

try_kvm() {
    [[ -s $1 ]] && return
    local result=tcg
    (
        # Its children are its own to end; its output is nobody's.
        clean_up_at_exit
        cpus=1 memory_mb=512 append=() writable=() environment=() console=
        boot kvm 10 /bin/true
        exit "$boot_status"
    ) >/dev/null 2>&1 && result=kvm
    say "hardware virtualisation: $([[ $result == kvm ]] && echo "works" || echo "does not boot a kernel, emulating")"
    echo "$result" >"$1"
}
