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
# It needs tar with gzip, one of sha256sum, shasum and openssl, and one of curl, wget and python3
# where something is to be fetched; never root. A second run updates. It is undone by
# `bubble self uninstall`. PIP_* variables and pip's configuration name the index of the packages;
# BUBBLE_MIRROR is where interpreters come from instead of upstream.
#
# Everything stands in functions: half a script, from a connection that broke, does nothing.
set -eu

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
    exit 1
}

main() {
    umask 022
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
            --prefix=*) prefix=${1#*=} ;;
            --offline=*) offline=${1#*=} ;;
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
    if [ ! -f "$target/.complete" ]; then
        build
    fi
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
        mkdir -p "$scratch"
        archive=$scratch/python.tar.gz
        get_archive
        tar -xzf "$archive" -C "$scratch" || die "the interpreter can't be unpacked" "is there room?"
        mv "$scratch/python" "$only/python"
        rm -rf "$scratch"
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
    [ -n "$prefix" ] || prefix=$HOME/.local/lib/bubble
    case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
    command=$HOME/.local/bin/bubble
    [ -z "$offline" ] || {
        [ -d "$offline" ] || die "there is no directory $offline" "check what --offline names"
        offline=$(cd "$offline" && pwd)
    }
    case $prefix$command in
        *"
"*) die "a path with a line break in it can't be used" "choose another with --prefix" ;;
    esac
    # what an administrator's sudo leaves in a user's home, the user can't change
    if [ "$(id -u)" = 0 ] && [ "$(owner "$HOME")" != 0 ]; then
        die "root, in the home of somebody else ($HOME)" "run it as that user, or set HOME to root's"
    fi
    if [ -e "$command" ] || [ -L "$command" ]; then
        is_ours "$command" || die "$command is there already, and this script didn't make it" \
            "move it away, or: pip uninstall bubble, where pip put it there"
    fi
}

owner() { # the number of a directory's owner; stat has two tongues
    stat -c %u "$1" 2>/dev/null || stat -f %u "$1" 2>/dev/null || echo 0
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
            libc=gnu
            [ "$machine" != armv7 ] || libc=gnueabihf
            # a 32-bit userland on a 64-bit kernel
            case $(getconf LONG_BIT 2>/dev/null || echo 64) in
                32) [ "$machine" = armv7 ] || machine=i686 ;;
            esac
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

is_musl() {
    for loader in /lib/ld-linux-*.so.* /lib64/ld-linux-*.so.*; do
        [ ! -e "$loader" ] || return 1
    done
    for loader in /lib/ld-musl-*; do
        [ ! -e "$loader" ] || return 0
    done
    return 1
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
    getter=
    for tool in curl wget python3; do
        if has "$tool"; then
            getter=$tool
            break
        fi
    done
    here=
    case $0 in
        */install.sh | install.sh) here=$(cd "$(dirname -- "$0")" && pwd) ;;
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
    mkdir -p "$prefix/versions" 2>/dev/null || die "$prefix can't be written" "name another with --prefix"
    lock=$prefix/lock
    if ! mkdir "$lock" 2>/dev/null; then
        other=$(cat "$lock/process" 2>/dev/null || true)
        if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
            die "another installation is at work (process $other)" "wait for it"
        fi
    fi
    scratch=
    [ -f "$prefix/made" ] || say "$made" >"$prefix/made"
    say "$command" >"$prefix/command"
    say "$base" >"$prefix/base"
    trap 'finish' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    say $$ >"$lock/process"
    rm -rf "$prefix"/scratch.*
    rm -f "$command".*.part
    scratch=$prefix/scratch.$$
    mkdir "$scratch"
}

# Which directories aren't there that bubble will make: an uninstallation takes them away again.
absent() {
    directory=$prefix
    while [ ! -d "$directory" ]; do
        say "$directory"
        directory=$(dirname -- "$directory")
    done
    for directory in "$HOME/.local" "$HOME/.local/bin" "${XDG_DATA_HOME:-$HOME/.local/share}" \
        "${XDG_CACHE_HOME:-$HOME/.cache}" "${XDG_CONFIG_HOME:-$HOME/.config}" \
        "${XDG_CONFIG_HOME:-$HOME/.config}/fish" "${XDG_CONFIG_HOME:-$HOME/.config}/fish/conf.d"; do
        [ -d "$directory" ] || say "$directory"
    done
}

finish() {
    [ -z "$scratch" ] || rm -rf "$scratch"
    rm -rf "$lock"
}

build() {
    archive=$scratch/python.tar.gz
    say "getting Python for bubble itself ($platform)"
    get_archive
    tar -xzf "$archive" -C "$scratch" || die "the interpreter can't be unpacked" "is there room in $prefix?"
    rm -f "$archive"
    python=$scratch/python/bin/python3
    "$python" -I -c 'import ssl, zlib, ctypes' >"$scratch/said" 2>&1 ||
        die "the interpreter doesn't run here: $(tail -n 1 "$scratch/said")" \
            "is this $platform, with a C library of 2.17 or newer?"
    say "installing bubble $version"
    get "$wheel" "$wheel_sha256" "$scratch/$wheel" "${base:+$base/$wheel}"
    requirements >"$scratch/requirements.txt"
    set -- --quiet --no-deps --require-hashes --only-binary :all: --no-compile --no-warn-script-location
    for place in "$offline" "${offline:+$offline/wheels}" "${here:+$here/wheels}"; do
        [ -n "$place" ] && [ -d "$place" ] || continue
        set -- "$@" --no-index --find-links "$place"
    done
    install_with_pip "$@" -r "$scratch/requirements.txt" ||
        die "bubble's own packages could not be installed: $(tail -n 1 "$scratch/said")" \
            "PIP_INDEX_URL or pip's configuration names the index; without one: --offline DIR"
    install_with_pip --quiet --no-deps --no-index --no-compile "$scratch/$wheel" ||
        die "bubble could not be installed: $(tail -n 1 "$scratch/said")" "try again"
    "$python" -I -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        "$scratch/python/lib" >"$scratch/said" 2>&1 || true # some tests of Python's have no syntax
    "$python" -I "$scratch/python/bin/bubble" --version >"$scratch/said" 2>&1 ||
        die "bubble doesn't run: $(tail -n 1 "$scratch/said")" "try again"
    : >"$scratch/python/.complete"
    rm -rf "$target"
    mv "$scratch/python" "$target"
}

install_with_pip() {
    # a variable of the user's that puts packages elsewhere must not count
    env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_USER -u PIP_REQUIRE_VIRTUALENV \
        PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1 \
        "$python" -I -m pip install "$@" >"$scratch/said" 2>&1
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
        cp "$place/$name" "$file_" || die "$place/$name can't be copied" "is there room in $prefix?"
        check "$place/$name"
        return
    done
    [ -z "$offline" ] || die "$name is not in $offline" "put it there: it is part of the release"
    [ $# -gt 0 ] || die "$name is not beside this script" "take the whole release"
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

fetch() { # fetch URL FILE
    case $1 in
        file://*)
            cp "$(printf '%s' "${1#file://}" | sed 's/%2B/+/g; s/%20/ /g')" "$2" 2>"$scratch/said"
            return
            ;;
    esac
    case $getter in
        curl) curl -fsSL --retry 2 --connect-timeout 20 --speed-limit 100 --speed-time 60 \
            -o "$2" "$1" 2>"$scratch/said" ;;
        wget) wget -q -T 60 -O "$2" "$1" 2>"$scratch/said" ;;
        python3) python3 -c '
import shutil, sys
try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen
with open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(urlopen(sys.argv[1], timeout=60), file)
' "$1" "$2" 2>"$scratch/said" ;;
        *) die "none of curl, wget and python3 is here" "install one, or use --offline DIR" ;;
    esac
}

# The command is what makes a version the current one: one rename, and another one back.
take_over() {
    before=
    if is_ours "$command"; then before=$(sed -n 's/^# version: //p' "$command"); fi
    mkdir -p "${command%/*}"
    {
        say '#!/bin/sh'
        say '# bubble, by install.sh'
        say "# version: ${target##*/}"
        say "# prefix: $prefix"
        say "exec $(quoted "$target/bin/python3") -I $(quoted "$target/bin/bubble") \"\$@\""
    } >"$command.$$.part"
    chmod 755 "$command.$$.part"
    mv -f "$command.$$.part" "$command"
    if [ -n "$before" ] && [ "$before" != "${target##*/}" ]; then
        say "$before" >"$prefix/previous"
        "$command" rehash >/dev/null 2>&1 </dev/null || true # the shims know the new one
    fi
    kept=$(cat "$prefix/previous" 2>/dev/null || true)
    for old in "$prefix/versions"/*; do
        case ${old##*/} in
            "${target##*/}" | "$kept") ;;
            *) rm -rf "$old" ;;
        esac
    done
}

quoted() { # a text as one word of sh
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
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
        *) say "  put it on PATH: export PATH=\"${command%/*}:\$PATH\"" ;;
    esac
    [ "$init" = made ] || say "  set up your shell: bubble init ${shell:-bash} --install"
    say "  a first Python: bubble python install 3.12"
    say "  undo it all: bubble self uninstall"
}

main "$@"
