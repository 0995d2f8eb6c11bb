# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# What the machine that runs the harness offers: messages, programs, memory, clock.

# The harness's own failures leave with this status, so that they are not taken for the command's.
readonly STATUS_HARNESS=125

say() { printf 'vm: %s\n' "$*" >&2; }

# die HEADLINE [HINT...]: one headline, then one line per thing the reader can do.
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    local hint
    for hint; do printf 'hint: %s\n' "$hint" >&2; done
    exit "$STATUS_HARNESS"
}

# Sets `virtiofsd` to the file server, or to nothing. Debian 12 ships the C one with QEMU, Debian 13
# the Rust one in a package of its own; their options differ (see machine.sh).
find_virtiofsd() {
    local candidate
    virtiofsd=
    for candidate in "${BPFLUA_VM_VIRTIOFSD:-}" /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
        [[ -n $candidate && -x $candidate ]] || continue
        virtiofsd=$candidate
        return
    done
}

# A busybox that needs a dynamic linker cannot be the first program of an empty file system.
is_static() { ! ldd "$1" >/dev/null 2>&1; }

# Ends with the names of all missing packages at once; the harness installs nothing itself.
require_programs() {
    local missing=() pair
    for pair in qemu-system-x86_64:qemu-system-x86 lz4:lz4 zstd:zstd xz:xz-utils flock:util-linux \
        setpriv:util-linux dpkg-deb:dpkg apt-get:apt; do
        type -P "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    busybox=$(type -P busybox || true)
    [[ -n $busybox ]] && is_static "$busybox" || missing+=(busybox-static)
    find_virtiofsd
    [[ -n $virtiofsd ]] || missing+=("$(virtiofsd_package)")
    ((${#missing[@]} == 0)) && return
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    die "the VM harness lacks programs of these packages: ${missing[*]}" "apt-get install ${missing[*]}"
}

virtiofsd_package() {
    if apt-cache pkgnames virtiofsd 2>/dev/null | grep -qx virtiofsd; then
        echo virtiofsd
    else
        echo qemu-system-common
    fi
}

require_platform() {
    [[ $(uname -m) == x86_64 ]] || die "the VM harness knows x86_64 machines only, this one is $(uname -m)"
    ((EUID == 0)) || [[ $virtiofsd != */qemu/virtiofsd ]] ||
        die "$virtiofsd shares files for root only, and this is uid $EUID" "run with sudo"
}

# The guest's memory is a memfd: it counts as shared memory of this machine and of its cgroup, but
# needs no room in /dev/shm.
require_memory() {
    local wanted_mb=$1 free_mb limit
    free_mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    limit=$(cgroup_room_mb)
    ((limit < free_mb)) && free_mb=$limit
    ((free_mb >= wanted_mb)) || die "the VM wants $wanted_mb MB of memory, $free_mb MB are free here" \
        "give it less with --memory MB (512 runs small commands), or wait for other VMs to end"
}

# Room left below this process's own memory limit, or a large number where there is none.
cgroup_room_mb() {
    local dir max used
    dir=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
    max=$(cat "$dir/memory.max" 2>/dev/null || echo max)
    used=$(cat "$dir/memory.current" 2>/dev/null || echo 0)
    if [[ $max == max ]]; then echo 999999999; else echo $(((max - used) / 1048576)); fi
}

# Frequency of the time stamp counter in kHz. Under TCG the guest reads the host's counter, and microvm
# has no second clock to measure it against: 6.12 waits for ever unless it is told. The nominal
# frequency in the model's name is the counter's; `cpu MHz` is what the core happens to run at.
tsc_khz() {
    awk '
        /^model name/ && match($0, /@ *[0-9.]+ *GHz/) {
            ghz = substr($0, RSTART + 1, RLENGTH - 4); print int(ghz * 1000000); found = 1; exit
        }
        /^cpu MHz/ { print int($4 * 1000); found = 1; exit }
        END { if (!found) print 2000000 }' /proc/cpuinfo
}
