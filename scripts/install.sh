#!/bin/sh
# Installs bubble for one user, on a machine that needs no Python: a private CPython, checked
# against the sha256 below before it is unpacked, with bubble in it, and ~/.local/bin/bubble.
#
#   sh install.sh [--yes | --no-init] [--prefix DIR] [--offline DIR] [--dry-run]
#
#   --yes          set up the shell, too, without asking (bubble init SHELL --install)
#   --no-init      leave the shell's start-up files alone, without asking
#   --prefix DIR   where it goes (default: ~/.local/lib/bubble; the command: ~/.local/bin/bubble)
#   --offline DIR  take everything from DIR: the interpreter's archive, bubble's wheel, the others
#   --dry-run      say what would be done, and do nothing
#   --version      print the version that this script installs
#
# It needs tar with gzip, one of sha256sum, shasum and openssl, and one of curl, wget and any Python
# where something is to be fetched; never root. A second run updates. It is undone by
# `bubble self uninstall`. PIP_* variables and pip's configuration name the index of the packages;
# BUBBLE_MIRROR is where interpreters come from instead of upstream.
#
# Everything stands in functions: half a script, from a connection that broke, does nothing.
if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi
set -eu
# what a user's variables would change about cd, words, tar and gzip
unset CDPATH IFS TAR_OPTIONS GZIP

# What `scripts/release` writes here: the release, and the interpreter for each platform.
release() {
    version=@version@
    wheel=@wheel@
    wheel_sha256=@wheel_sha256@
    base=@base@
}

pin() { # pin PLATFORM: sets url and sha256 of its interpreter, or fails
    case $1 in
        # pins: begin
        darwin-aarch64-none) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-aarch64-apple-darwin-install_only_stripped.tar.gz sha256=7a2384641584ab9984221fcb0fc9265df465922af71be71410529e2a9c3f0540 ;;
        darwin-x86_64-none) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-x86_64-apple-darwin-install_only_stripped.tar.gz sha256=d27d59a722db9f69926eb6d9564071247221f45a04da920ea7f3001c97e32f9b ;;
        linux-aarch64-gnu) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz sha256=55c00325f7c1fddf325dfc621aabdfbbac4dc54adda224af88ec411dc12db239 ;;
        linux-aarch64-musl) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-aarch64-unknown-linux-musl-install_only_stripped.tar.gz sha256=5616ed1d426cb12cc135e5998b42bfd665cf2f9e3f3f9f6c77c73f0ae26f7d03 ;;
        linux-armv7-gnueabi) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-armv7-unknown-linux-gnueabi-install_only_stripped.tar.gz sha256=4b0f89f9e575daa5eb0ceb7fe3099e809b76395c47ec05a9e33bc5bbbf22eba1 ;;
        linux-armv7-gnueabihf) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-armv7-unknown-linux-gnueabihf-install_only_stripped.tar.gz sha256=755019c5ad89336837856db4da3e660b8525cf6a95cda683ee0e8f21b14af46c ;;
        linux-powerpc64le-gnu) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-ppc64le-unknown-linux-gnu-install_only_stripped.tar.gz sha256=cdc5a3bf21e0b7f7b10d51693264be1a4ae7b06734b3b28a32b40a4f0d77faf2 ;;
        linux-riscv64-gnu) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-riscv64-unknown-linux-gnu-install_only_stripped.tar.gz sha256=769d6fb6420c6d12e1abf2e446cdb981d8775bd784772a3f885c43780ebf5e45 ;;
        linux-s390x-gnu) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-s390x-unknown-linux-gnu-install_only_stripped.tar.gz sha256=a163a17596c47f16052b2e24a1bf4ee0214c2683b69390deac2c5b7688d75b8e ;;
        linux-x86_64-gnu) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz sha256=f2d2199eb25880e07863b391cf7124e7ffa1338b0d65600dfcec117c4223a7fb ;;
        linux-x86_64-musl) url=https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.13.18%2B20261110-x86_64-unknown-linux-musl-install_only_stripped.tar.gz sha256=a75bf409606303deed964d4769544f98b74e7b53d4efb44f4a95cb38e86ff403 ;;
        # pins: end
        *) return 1 ;;
    esac
}

requirements() {
    cat <<'END'
# @requirements@
END
}

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { # die MESSAGE [HINT]
    warn "install.sh: $1"
    [ -z "${2:-}" ] || warn "  hint: $2"
    explained=1
    exit 1
}

main() {
    umask 022
    # closed, their numbers would be those of files that are written here
    (true 3<&0) 2>/dev/null || exec </dev/null
    (true 3>&1) 2>/dev/null || exec >/dev/null
    (true 3>&2) || exec 2>/dev/null
    # a directory that was deleted: no program starts in it, and nothing can be relative to it
    case $(pwd -P 2>/dev/null || :) in
        /*) [ -d "$(pwd -P)" ] || cd / ;;
        *) cd / ;;
    esac
    explained='' scratch='' held='' fresh=''
    release
    url='' sha256=''
    yes='' init='' prefix='' offline='' dry='' only=''
    while [ $# -gt 0 ]; do
        case $1 in
            --yes | -y) yes=1 ;;
            --no-init) init=no ;;
            --dry-run) dry=1 ;;
            --python-only) # of a checkout, which has no Python that is new enough
                only=${2:?}
                shift
                ;;
            --platform) # for a bundle, which has interpreters for several
                find_platform
                say "$platform"
                return 0
                ;;
            --version)
                say "$version"
                return 0
                ;;
            --prefix | --offline)
                [ -n "${2:-}" ] || die "$1 takes a directory" "sh install.sh --help"
                case $1 in --prefix) prefix=$2 ;; *) offline=$2 ;; esac
                shift
                ;;
            --prefix=?*) prefix=${1#*=} ;;
            --offline=?*) offline=${1#*=} ;;
            --prefix= | --offline=) die "${1%=} takes a directory" "sh install.sh --help" ;;
            -h | --help)
                usage
                return 0
                ;;
            *) die "there is no option $1" "sh install.sh --help" ;;
        esac
        shift
    done
    [ -z "$only" ] || {
        python_only
        return 0
    }
    case $version in @*) die "this is the template of the script" "make a release: scripts/release" ;; esac
    find_places
    find_platform
    pin "$platform" || die "there is no interpreter for $platform" \
        "with any Python 3.11 or newer: pip install bubble"
    find_tools
    identity=$(printf '%s' "$wheel_sha256$sha256" | hash_stdin | cut -c 1-12)
    target=$prefix/versions/$version-$identity
    if [ -n "$dry" ]; then
        dry_run
        return 0
    fi
    begin
    is_whole || build
    take_over
    set_up_shell
    tell
}

# Puts the interpreter alone into a directory, and prints the path of its program.
python_only() {
    find_platform
    pin "$platform" || die "there is no interpreter for $platform" "install Python 3.11 or newer"
    find_tools
    program=$only/python/bin/python3
    if [ ! -x "$program" ]; then
        scratch=$only/scratch.$$ prefix=$only
        trap 'rm -rf "$scratch"' EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        mkdir -p "$scratch"
        unpack
        rm -rf "$only/python"
        mv "$scratch/python" "$only/python"
    fi
    say "$program"
}

usage() {
    cat <<'END'
usage: sh install.sh [--yes | --no-init] [--prefix DIR] [--offline DIR] [--dry-run] [--version]

Installs bubble for this user, with a Python of its own; a second run updates it.

  --yes          set up the shell, too, without asking
  --no-init      leave the shell's start-up files alone
  --prefix DIR   where it goes (default: ~/.local/lib/bubble)
  --offline DIR  take everything from this directory, nothing from the network
  --dry-run      say what would be done, and do nothing
  --version      print the version that this script installs
END
}

find_places() {
    case ${HOME:-} in
        /*) ;;
        *) die "HOME is not set to an absolute path" "set it to your home directory" ;;
    esac
    command=$HOME/.local/bin/bubble present=
    if [ -e "$command" ] || [ -L "$command" ]; then
        is_ours "$command" || die "$command is there already, and this script didn't make it" \
            "move it away, or: pip uninstall bubble, where pip put it there"
        present=$(sed -n 's/^# prefix: //p' "$command")
    fi
    # a second run is an update, wherever the first one went
    [ -n "$prefix" ] || prefix=${present:-$HOME/.local/lib/bubble}
    case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
    prefix=$(printf '%s' "$prefix" | sed 's|//*$||')
    [ -n "$prefix" ] || prefix=/
    [ -z "$offline" ] || {
        [ -d "$offline" ] || die "there is no directory $offline" "check what --offline names"
        offline=$(absolute "$offline")
    }
    case $prefix$command in
        *"
"*) die "a path with a line break in it can't be used" "choose another with --prefix" ;;
    esac
    # what an administrator's sudo leaves in a user's home, the user can't change
    if [ "$(id -u)" = 0 ] && [ "$(owner "$HOME")" != 0 ]; then
        die "root, in the home of somebody else ($HOME)" "run it as that user, or set HOME to root's"
    fi
    for directory in "${command%/*}" "$HOME/.local" "$HOME"; do # another's sudo may have made it
        [ -e "$directory" ] || [ -L "$directory" ] || continue
        [ -d "$directory" ] || die "$directory is no directory" "move it away"
        [ -w "$directory" ] || die "$directory can't be written" "make it yours: chown, as root"
        break
    done
    [ ! -e "$prefix" ] && [ ! -L "$prefix" ] || check_prefix
    [ -z "$present" ] || [ ! -d "$present/versions" ] || [ "$prefix" = "$present" ] ||
        [ "$(absolute "$present")" = "$(absolute "$prefix" 2>/dev/null)" ] ||
        die "bubble is in $present already" "update it there, without --prefix, or first: bubble self uninstall"
}

# What lies in a prefix is deleted some day: so it is an empty directory, or one that this made,
# as a list in it or the command says.
check_prefix() {
    [ -d "$prefix" ] || die "$prefix is no directory" "name another with --prefix"
    [ "$(owner "$prefix")" = "$(id -u)" ] ||
        die "$prefix is somebody else's, who could change what you run" "name another with --prefix"
    [ ! -L "$prefix" ] || prefix=$(absolute "$prefix") # the link is the user's, and stays
    # shellcheck disable=SC2012 # whether there is any, not which
    [ -f "$prefix/made" ] || [ "$prefix" = "$present" ] ||
        [ -z "$(ls -A "$prefix" | sed -e '/^lock$/d' -e '/^process/d' -e '/^made\.part$/d')" ] ||
        die "$prefix has other files in it" "name a new directory: --prefix $prefix/bubble"
    [ ! -e "$prefix/versions" ] || [ -d "$prefix/versions" ] ||
        die "$prefix/versions is no directory" "move it away"
    for name in lock made process; do
        [ ! -d "$prefix/$name" ] || die "$prefix/$name is a directory, where a file goes" "move it away"
    done
}

absolute() { # a directory's path without links in it
    (cd -P -- "$1" && pwd -P)
}

owner() { # the number of who owns a directory, links followed; stat has two tongues
    # shellcheck disable=SC2012 # only the third word counts
    ls -ldnL "$1" 2>/dev/null | {
        read -r _ _ number _ || number=0
        say "$number"
    }
}

is_ours() { # whether a file is a command that this script wrote
    [ -f "$1" ] && [ ! -L "$1" ] && grep -q '^# bubble, by install.sh$' "$1" 2>/dev/null
}

find_platform() {
    system=$(uname -s) machine=$(uname -m)
    case $machine in
        amd64) machine=x86_64 ;;
        arm64) machine=aarch64 ;;
        ppc64le) machine=powerpc64le ;;
        armv7*) machine=armv7 ;;
    esac
    case $system in
        Linux)
            # a 32-bit userland on a 64-bit kernel
            case $(getconf LONG_BIT 2>/dev/null || echo 64):$machine in
                32:aarch64) machine=armv7 ;;
                32:x86_64) machine=i686 ;;
            esac
            libc=gnu
            [ "$machine" != armv7 ] || libc=gnueabihf
            if is_musl; then libc=musl; fi
            platform=linux-$machine-$libc
            ;;
        Darwin)
            # Rosetta lets an arm Mac say x86_64
            [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" != 1 ] || machine=aarch64
            platform=darwin-$machine-none
            ;;
        *) die "bubble runs on Linux and macOS, not on $system" "on Windows: in WSL" ;;
    esac
}

is_musl() { # by the loaders that are here, and where both are by what the shell is linked to
    gnu='' musl=''
    for loader in /lib/ld-linux* /lib64/ld-linux* /lib64/ld64.so.*; do
        [ ! -e "$loader" ] || gnu=1
    done
    for loader in /lib/ld-musl-*; do
        [ ! -e "$loader" ] || musl=1
    done
    [ -n "$musl" ] || return 1
    [ -z "$gnu" ] || grep -q /ld-musl- /bin/sh
}

find_tools() {
    if has sha256sum; then
        hasher=sha256sum
    elif has shasum; then
        hasher=shasum
    elif has openssl; then
        hasher=openssl
    else
        die "none of sha256sum, shasum and openssl is here, and nothing is unpacked unchecked" \
            "install one of them"
    fi
    has tar || die "there is no tar" "install tar and gzip"
    here=
    case $0 in
        */install.sh | install.sh) here=$(absolute "$(dirname -- "$0")") ;;
    esac
}

has() { command -v "$1" >/dev/null 2>&1; }

hash_stdin() {
    case $hasher in
        sha256sum) sha256sum | cut -d ' ' -f 1 ;;
        shasum) shasum -a 256 | cut -d ' ' -f 1 ;;
        openssl) openssl dgst -sha256 -r | cut -d ' ' -f 1 ;;
    esac
}

hash_of() { hash_stdin <"$1"; }

dry_run() {
    say "bubble $version for $platform:"
    say "  interpreter  $url"
    say "  into         $target"
    say "  command      $command"
    [ "$init" = no ] || say "  shell        asks on a terminal; --yes does it"
}

# Takes the prefix for this process alone, and makes a place to build in that goes with it.
begin() {
    made=$(absent)
    trap 'finish' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    { mkdir -p "$prefix" && : >>"$prefix/lock"; } 2>/dev/null ||
        die "$prefix can't be written" "name another with --prefix"
    hold
    [ -f "$prefix/made" ] || {
        say "$made" >"$prefix/made.part"
        mv "$prefix/made.part" "$prefix/made"
    }
    mkdir -p "$prefix/versions"
    rm -rf "$prefix"/scratch.*
    rm -f "$command".*.part
    scratch=$prefix/scratch.$$
    mkdir "$scratch"
}

# Where there is flock, its lock goes with the last process that could still write here.
hold() {
    if has flock; then
        exec 9>>"$prefix/lock"
        code=0
        flock -n 9 9>&9 2>/dev/null || code=$?
        case $code in
            0)
                held=9
                return
                ;;
            1) at_work ;;
        esac
    fi
    if ! say "$$ $(started $$)" >"$prefix/process.$$"; then
        [ -e "$prefix/process" ] || held=nobody # so that nothing stays
        exit 1
    fi
    if ! ln "$prefix/process.$$" "$prefix/process" 2>/dev/null; then
        read -r number since <"$prefix/process" || number='' since=''
        [ -z "$number" ] || ! kill -0 "$number" 2>/dev/null ||
            [ "$since" != "$(started "$number")" ] || at_work
        mv -f "$prefix/process.$$" "$prefix/process"
    fi
    rm -f "$prefix"/process.*
    held=process
}

at_work() { die "another installation is at work${number:+ (process $number)}" "wait for it"; }

started() { # when a process was started: its number alone may be another's by now
    if [ -r "/proc/$1/stat" ]; then
        sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
    else
        ps -o lstart= -p "$1" 2>/dev/null || true
    fi
}

# Which directories aren't there that bubble will make: an uninstallation takes them away again.
absent() {
    directory=$prefix below=
    while [ ! -d "$directory" ] || is_scrap; do
        say "$directory"
        below=${directory##*/}
        directory=$(dirname -- "$directory")
    done
    for directory in "$HOME/.local" "$HOME/.local/bin" "${XDG_DATA_HOME:-$HOME/.local/share}" \
        "${XDG_CACHE_HOME:-$HOME/.cache}" "${XDG_CONFIG_HOME:-$HOME/.config}" \
        "${XDG_CONFIG_HOME:-$HOME/.config}/fish" "${XDG_CONFIG_HOME:-$HOME/.config}/fish/conf.d"; do
        [ -d "$directory" ] || say "$directory"
    done
}

# Whether `directory` is what a run left that was killed before it could write down what it made:
# a prefix without that list, and what is around it and holds nothing else.
is_scrap() {
    [ "$directory" != "$HOME" ] && [ "$directory" != / ] && [ ! -f "$prefix/made" ] &&
        [ -d "$prefix" ] && [ "$(owner "$directory")" = "$(id -u)" ] || return 1
    if [ -n "$below" ]; then
        [ "$(ls -A "$directory")" = "$below" ]
    else
        [ -f "$prefix/lock" ] || [ "$prefix" = "$HOME/.local/lib/bubble" ]
    fi
}

# However it ends: what was built goes, and of a first installation that failed everything.
finish() {
    code=$?
    trap - EXIT
    set +e # all of it, whatever fails
    case $code:$explained in
        0:* | *:1 | 129:* | 130:* | 143:*) ;;
        *) warn "install.sh: stopped, and what was there is as it was
  hint: is there room in $prefix, and may you write there?" ;;
    esac
    [ -z "$scratch" ] || rm -rf "$scratch" "$command.$$.part"
    rm -f "$prefix/process.$$"
    [ "$code" = 0 ] || [ -z "$fresh" ] || rm -rf "$fresh"
    [ "$code" = 0 ] || leave_nothing
    [ "$held" != process ] || rm -f "$prefix/process"
    exit "$code"
}

leave_nothing() {
    if [ -n "$held" ]; then
        rmdir "$prefix/versions" 2>/dev/null || [ ! -d "$prefix/versions" ] || return 0
        rm -f "$prefix/made" "$prefix/made.part" "$prefix/command" "$prefix/process" "$prefix/lock"
    fi
    say "$made" | sort -r | while read -r directory; do
        [ -z "$directory" ] || rmdir "$directory" 2>/dev/null || true
    done
}

# What was installed once may have been damaged since: this run mends it.
is_whole() {
    [ -f "$target/.complete" ] && "$target/bin/python3" -I "$target/bin/bubble" --version >/dev/null 2>&1 &&
        files_of "$target" >/dev/null 2>&1
}

files_of() { # files_of DIR [write]: hold each file against .complete, or write that
    "$1/bin/python3" -I -B -c '
import os, sys, zlib

root, *write = sys.argv[1:]
complete = root + "/.complete"
how = {"encoding": "utf-8", "errors": "surrogateescape"}


def number(name):
    with open(os.path.join(root, name), "rb") as file:
        return zlib.crc32(file.read())


if write:
    paths = [f"{place}/{name}" for place, _, names in os.walk(root) for name in names]
    found = [os.path.relpath(path, root) for path in paths if not os.path.islink(path)]
    lines = [f"{number(name)} {name}\n" for name in sorted(found) if name != ".complete"]
    with open(complete, "w", **how) as file:
        file.writelines(lines)
else:
    with open(complete, **how) as file:
        pairs = [line.rstrip("\n").partition(" ") for line in file]
    sys.exit(any(number(name) != int(known) for known, _, name in pairs))
' "$@"
}

build() {
    say "getting Python for bubble itself ($platform)"
    unpack
    python=$scratch/python/bin/python3
    "$python" -I -B -c 'import ssl, zlib, ctypes' >"$scratch/said" 2>&1 ||
        die "the interpreter doesn't run here: $(last_said)" \
            "is this $platform, with a C library of 2.17 or newer, and may programs run in $prefix?"
    say "installing bubble $version"
    get "$wheel" "$wheel_sha256" "$scratch/$wheel" "${base:+$base/$wheel}"
    {
        requirements
        say "bubble-python==$version --hash=sha256:$wheel_sha256"
    } >"$scratch/requirements.txt"
    set -- --no-deps --require-hashes --only-binary :all: --find-links "$scratch"
    for place in "$offline" "${offline:+$offline/wheels}" "$(beside)"; do
        [ -n "$place" ] && [ -d "$place" ] || continue
        set -- "$@" --no-index --find-links "$place"
    done
    install_with_pip "$@" -r "$scratch/requirements.txt" ||
        die "bubble and its packages could not be installed: $(last_said)" \
        "PIP_INDEX_URL or pip's configuration names the index; without one: --offline DIR"
    compile
    # what compiles passes over a full disk as over any fault
    cp "$scratch/$wheel" "$scratch/room" 2>/dev/null ||
        die "there is no room left in $prefix" "make some, or name another place: --prefix DIR"
    "$python" -I "$scratch/python/bin/bubble" --version >"$scratch/said" 2>&1 ||
        die "bubble doesn't run: $(last_said)" "try again"
    : >"$scratch/python/.complete"
    files_of "$scratch/python" write || die "there is no room left in $prefix" "make some, or name another place: --prefix DIR"
    to_disk "$scratch/python"
    rm -rf "$target"
    fresh=$target
    mv "$scratch/python" "$target"
}

# Leaves the interpreter, checked, in $scratch/python.
unpack() {
    archive=$scratch/python.tar.gz
    get_archive
    # -o: whose number the archive has for its files is nobody's business here; by a plain name,
    # since tar reads a colon as another machine's, and a backslash as the begin of something
    (cd "$scratch" && tar -xzof python.tar.gz) || die "the interpreter can't be unpacked" "is there room in $prefix?"
    rm -f "$archive"
}

beside() { # the wheels of a release that lies around this script, and of nothing else
    [ -z "$here" ] || [ ! -f "$here/$wheel" ] || say "$here/wheels"
}

last_said() { tail -n 1 "$scratch/said" 2>/dev/null || true; }

install_with_pip() {
    (
        # of the user's variables and files those count that say where packages come from
        for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p'); do
            case $name in
                *INDEX* | *LINKS | *CERT* | *PROXY | *HOST | *TIMEOUT | *RETRIES | *FILE | *PROVIDER | PIP_USE_*) ;;
                *) unset "$name" ;;
            esac
        done
        TMPDIR=$scratch PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_CONSTRAINT=/dev/null \
            PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1 \
            "$python" -I -B -m pip install --quiet --no-cache-dir --no-compile \
            --no-warn-script-location "$@" >"$scratch/said" 2>&1 </dev/null
    )
}

# Ahead, since others can't write it later, and unchecked, so that no start asks for a file's time.
# A third of what is there bubble never imports.
compile() {
    unused='site-packages/(pip|pkg_resources|pygments|setuptools)'
    unused="$unused|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo"
    for jobs in 0 1; do # without semaphores there is one
        "$python" -I -B -m compileall -q -j $jobs --invalidation-mode unchecked-hash \
            -x "/lib/python3\.[0-9]+/($unused)/" \
            "$scratch/python/lib" >"$scratch/said" 2>&1 </dev/null || true # some file has no syntax
        for found in "$scratch"/python/lib/python3.*/site-packages/bubble/__pycache__/*; do
            [ ! -e "$found" ] || return 0
        done
    done
}

to_disk() { # a rename may reach the disk before what is renamed does
    sync -f "$1" 2>/dev/null || sync
}

get_archive() {
    file=$(printf '%s' "${url##*/}" | sed 's/%2B/+/g')
    upstream=https://github.com/astral-sh/python-build-standalone/releases/download/
    case $url in
        "$upstream"*)
            if [ -n "${BUBBLE_MIRROR:-}" ]; then
                get "$file" "$sha256" "$archive" "${BUBBLE_MIRROR%/}/${url#"$upstream"}"
                return
            fi
            get "$file" "$sha256" "$archive" \
                "https://releases.astral.sh/github/python-build-standalone/releases/download/${url#"$upstream"}" "$url"
            ;;
        *) get "$file" "$sha256" "$archive" "$url" ;;
    esac
}

get() { # get NAME SHA256 FILE URL…: from --offline, from beside this script, or from a URL
    name=$1 wanted=$2 file_=$3
    shift 3
    for place in "$offline" "$here" "${here:+$here/wheels}"; do
        [ -n "$place" ] && [ -f "$place/$name" ] || continue
        cp "$place/$name" "$file_" 2>/dev/null || die "$place/$name can't be copied" "is there room in $prefix?"
        check "$place/$name"
        return
    done
    [ -z "$offline" ] || die "$name is not in $offline" "put it there: it is part of the release"
    [ -n "${1:-}" ] || die "$name is not beside this script" "take the whole release"
    said=
    for address in "$@"; do
        if fetch "$address" "$file_"; then
            check "$address"
            return
        fi
        said=$(tail -n 1 "$scratch/said" 2>/dev/null || true)
    done
    die "$name can't be fetched from $(shown "$address")${said:+: $said}" \
        "check the network and its proxy, or take it elsewhere and use --offline DIR"
}

check() { # check WHERE: what was got for `wanted` is that, or it isn't used
    got=$(hash_of "$file_")
    [ "$got" = "$wanted" ] || die "$(shown "$1") has other bytes than this release (sha256 $got, not $wanted)" \
        "a proxy's page, or a broken download: try again, or use --offline DIR"
}

shown() { # an address without what may be a secret
    printf '%s\n' "$1" | sed -e 's|//[^/@]*@|//|' -e 's|?.*||'
}

fetch() { # fetch URL FILE: with the first tool that can, since one may lack TLS, or be a shim
    case $1 in
        file://*)
            cp "$(printf '%s' "${1#file://}" | sed 's/%2B/+/g; s/%20/ /g')" "$2" 2>"$scratch/said"
            return
            ;;
    esac
    code=127
    for tool in curl wget python3 python python2; do
        has "$tool" || continue
        code=0
        "fetch_$tool" "$1" "$2" 2>"$scratch/said" || code=$?
        case $tool:$code in
            *:0) return 0 ;;
            curl:1 | curl:2 | curl:35 | curl:60 | curl:77 | *:126 | *:127) ;; # not this tool
            curl:* | wget:4 | wget:8) return 1 ;;                          # not this address
        esac
    done
    [ "$code" != 127 ] || die "none of curl, wget and Python is here" "install one, or use --offline DIR"
    return 1
}

fetch_curl() {
    curl -fsSL --retry 2 --connect-timeout 20 --speed-limit 100 --speed-time 60 -o "$2" "$1"
}

fetch_wget() { # busybox's knows none of the options, and some builds of it die of them
    case $(wget --version 2>/dev/null) in
        *GNU*) wget -q -T 60 -t 3 -O "$2" "$1" ;;
        *) wget -q -O "$2" "$1" ;;
    esac
}

fetch_python3() { fetch_by python3 "$@"; }
fetch_python() { fetch_by python "$@"; }
fetch_python2() { fetch_by python2 "$@"; }

fetch_by() { # fetch_by PYTHON URL FILE: a Python of any age
    "$1" -c '
import shutil, sys
try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen
with open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(urlopen(sys.argv[1], timeout=60), file)
' "$2" "$3"
}

# The command is what makes a version the current one: one rename, and another one back.
take_over() {
    before='' kept=''
    if is_ours "$command"; then
        before=$(sed -n 's/^# version: //p' "$command")
        kept=$(sed -n 's/^# previous: //p' "$command")
    fi
    [ "$before" = "${target##*/}" ] || kept=$before
    [ "$(cat "$prefix/command" 2>/dev/null)" = "$command" ] || say "$command" >"$prefix/command"
    mkdir -p "${command%/*}"
    {
        say '#!/bin/sh'
        say '# bubble, by install.sh'
        say "# version: ${target##*/}"
        say "# previous: $kept"
        say "# prefix: $prefix"
        say "# base: $base"
        say "exec $(quoted "$target/bin/python3") -I $(quoted "$target/bin/bubble") \"\$@\""
    } >"$command.$$.part"
    chmod 755 "$command.$$.part"
    to_disk "$command.$$.part"
    mv -f "$command.$$.part" "$command"
    fresh=
    if [ -n "$before" ] && [ "$before" != "${target##*/}" ]; then
        "$command" rehash >/dev/null 2>&1 </dev/null || true # the shims know the new one
    fi
    for old in "$prefix/versions"/*; do
        case ${old##*/} in
            "${target##*/}" | "$kept") ;;
            *) rm -rf "$old" ;;
        esac
    done
}

quoted() { # a text as one word of sh
    printf "'%s'" "$(printf '%s' "$1" | LC_ALL=C sed "s/'/'\\\\''/g")"
}

set_up_shell() {
    shell=${SHELL:-}
    shell=${shell##*/}
    case $shell in bash | zsh | fish) ;; *) return 0 ;; esac
    [ "$init" != no ] || return 0
    if [ -z "$yes" ]; then
        # piped into sh, this script is its own standard input
        { [ -t 1 ] && : </dev/tty; } 2>/dev/null || return 0
        printf 'Set up %s, so that directories choose their Python? [y/N] ' "$shell"
        read -r answer </dev/tty || answer=
        case $answer in y* | Y*) ;; *) return 0 ;; esac
    fi
    "$command" init "$shell" --install </dev/null || warn "the shell was not set up; later: bubble init $shell --install"
    init=made
}

tell() {
    say "bubble $version is $command"
    case :$PATH: in
        *:"${command%/*}":*) ;;
        *) say "  put it on PATH: export PATH=$(quoted "${command%/*}"):\"\$PATH\"" ;;
    esac
    case ${shell:-} in bash | zsh | fish) ;; *) shell=bash ;; esac
    [ "$init" = made ] || say "  set up your shell: bubble init $shell --install"
    say "  a first Python: bubble python install 3.12"
    say "  undo it all: bubble self uninstall"
}

# one list: cut off anywhere, it is no command
{ main "$@"; }
