# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared between the files
#
# Packages of any Debian suite through an apt directory of our own: the machine's lists, cache and
# settings are read, never written, and nothing is installed.

# Where the machine says its Debian archive is. A machine that is not Debian names a file of its own.
apt_source_files() {
    if [[ -n ${BPFLUA_VM_SOURCES:-} ]]; then
        printf '%s\n' "$BPFLUA_VM_SOURCES"
    else
        find /etc/apt -maxdepth 2 \( -path '/etc/apt/sources.list' -o -path '/etc/apt/sources.list.d/*.list' \
            -o -path '/etc/apt/sources.list.d/*.sources' \) 2>/dev/null | sort
    fi
}

# Suites of Debian's main archive. Others that call a suite `stable` may slip in: apt then finds no
# such suite there, and goes on.
readonly DEBIAN_SUITE='^(buster|bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)$'

# deb822_with_suite FILE SUITE TYPE: the stanzas of Debian's main archive, their suite replaced, all else
# (URIs, keys, trust) kept as the machine has it. TYPE is deb, or deb-src for source packages.
deb822_with_suite() {
    awk -v suite="$2" -v type="$3" -v debian="$DEBIAN_SUITE" '
        BEGIN { RS = ""; FS = "\n" }
        {
            kept = field = suites = components = types = ""; enabled = "yes"
            for (i = 1; i <= NF; i++) {
                if ($i ~ /^#/) continue
                value = $i
                if ($i ~ /^[^ \t]/) { field = tolower($i); sub(/:.*/, "", field); sub(/^[^:]*:/, "", value) }
                if (field == "suites") suites = suites " " value
                else if (field == "components") components = components " " value
                else if (field == "types") types = types " " value
                else if (field == "enabled") { enabled = value; gsub(/[ \t]/, "", enabled) }
                else kept = kept $i "\n"
            }
            ours = 0
            n = split(suites, names, /[ \t]+/)
            for (i = 1; i <= n; i++) if (names[i] ~ debian) ours = 1
            if (ours && enabled != "no" && (types " ") ~ /[ \t]deb[ \t]/ && (components " ") ~ /[ \t]main[ \t]/)
                printf "Types: %s\n%sSuites: %s\nComponents: main\n\n", type, kept, suite
        }' "$1"
}

# The same for the one-line form: deb [options] URI SUITE COMPONENT...
list_with_suite() {
    awk -v suite="$2" -v type="$3" -v debian="$DEBIAN_SUITE" '
        { sub(/#.*/, "") }
        $1 == "deb" {
            options = ""
            rest = $0; sub(/^[ \t]*deb[ \t]+/, "", rest)
            if (match(rest, /^\[[^]]*\][ \t]*/)) { options = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1) }
            n = split(rest, word, /[ \t]+/)
            main = 0
            for (i = 3; i <= n; i++) if (word[i] == "main") main = 1
            if (main && word[2] ~ debian) print type " " options word[1] " " suite " main"
        }' "$1"
}

# apt_open DIR SUITE [TYPE]: makes the private apt directory and reads the suite's list of packages, or with deb-src of
# source packages. Afterwards `apt_options` leads apt-get and apt-cache there.
apt_open() {
    local dir=$1 suite=$2 type=${3:-deb} file n=0
    mkdir -p "$dir/sources.d" "$dir/lists/partial" "$dir/cache/archives/partial"
    while IFS= read -r file; do
        n=$((n + 1))
        case $file in
            *.sources) deb822_with_suite "$file" "$suite" "$type" >"$dir/sources.d/$n.sources" ;;
            *) list_with_suite "$file" "$suite" "$type" >"$dir/sources.d/$n.list" ;;
        esac
    done < <(apt_source_files)
    find "$dir/sources.d" -type f -empty -delete
    [[ -n $(ls "$dir/sources.d") ]] || die "no Debian archive among this machine's apt sources" \
        "name a file with one in BPFLUA_VM_SOURCES (a sources.list, or deb822 if it ends in .sources)"
    apt_options=(
        -q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$dir/sources.d"
        -o "Dir::State::lists=$dir/lists" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$dir/cache"
        # The directory may be closed to the `_apt` user.
        -o APT::Sandbox::User=root
        # Package names are all that is wanted of the lists.
        -o Acquire::Languages=none -o Acquire::PDiffs=false -o Acquire::Retries=3
    )
    # One archive that fails must not hide another that works: what counts is what was found.
    apt-get "${apt_options[@]}" update >"$dir/update.log" 2>&1 || true
}

# apt_packages REGEX: names of packages, oldest version first.
apt_packages() { apt-cache "${apt_options[@]}" pkgnames | grep -E "$1" | sort -V; }

# apt_depends PACKAGE REGEX: those of its direct dependencies that match.
apt_depends() {
    apt-cache "${apt_options[@]}" depends "$1" | sed -n 's/^ *\(Pre\)\?Depends: //p' | grep -E "$2" | sort -u
}

# apt_download DIR PACKAGE...
apt_download() (
    cd "$1" || exit
    shift
    apt-get "${apt_options[@]}" download "$@" >&2
)

# apt_source DIR PACKAGE: a source package, as its archive has it.
apt_source() (
    cd "$1" || exit
    apt-get "${apt_options[@]}" source --download-only "$2" >&2
)
