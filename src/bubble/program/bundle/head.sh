#!/bin/sh
# bubble-bundle 1 @said@
#
# bubble @version@, Pythons and packages for machines without a network, in one file:
#
#   sh FILE [--project DIR] [--yes | --no-init] [--prefix DIR] [--check]
#
#   --project DIR  make the project's environments there; its manifest and locks are written where
#                  they are missing
#   --yes          set up the shell, too, without asking; --no-init: leave it alone
#   --prefix DIR   where bubble goes (default: ~/.local/lib/bubble; the command: ~/.local/bin/bubble)
#   --check        see whether the file is whole, and do nothing
#
# It needs tar with gzip, tail, and one of sha256sum, shasum and openssl; never root, no Python.
# Nothing is unpacked before the whole file was checked. It can be said again after whatever ended
# it. The tar behind this script: tail -c +@first@ FILE | tar -t
if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi
set -eu
# what a user's variables would change about cd, words, tar and gzip
unset CDPATH IFS TAR_OPTIONS GZIP

pack() {
    sha256=@sha256@
    platforms=@platforms@
}

own_of() { # own_of PLATFORM: sets own, the archive of bubble's interpreter there, or fails
    case $1 in
        # @owns@
        *) return 1 ;;
    esac
}

say() { printf '%s\n' "$*"; }
die() { # die MESSAGE [HINT]
    printf '%s\n' "bundle: $1" >&2
    [ -z "${2:-}" ] || printf '%s\n' "  hint: $2" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

main() {
    umask 022
    pack
    file=$0 project='' prefix='' init='' check='' own=''
    while [ $# -gt 0 ]; do
        case $1 in
            --yes | -y) init=--yes ;;
            --no-init) init=--no-init ;;
            --check) check=1 ;;
            --project | --prefix)
                [ -n "${2:-}" ] || die "$1 takes a directory" "sh FILE --help"
                case $1 in --prefix) prefix=$2 ;; *) project=$2 ;; esac
                shift
                ;;
            --project=*) project=${1#*=} ;;
            --prefix=*) prefix=${1#*=} ;;
            -h | --help)
                sed -n '3,/^set -eu/{s/^# //p;s/^#$//p;}' "$file"
                return 0
                ;;
            *) die "there is no option $1" "sh FILE --help" ;;
        esac
        shift
    done
    case $file in
        /*) ;;
        *) file=$(pwd)/$file ;;
    esac
    [ -f "$file" ] && [ "$(head -n 2 "$file" | tail -n 1 | cut -c 1-17)" = "# bubble-bundle 1" ] ||
        die "this script has to know its own file" "sh FILE, not through a pipe"
    find_hasher
    [ "$(payload | hash_stdin)" = "$sha256" ] ||
        die "$file is not as it was made: it is cut short, or has other bytes" "copy it once more"
    if [ -n "$check" ]; then
        say "$file is whole"
        return 0
    fi
    case ${HOME:-} in
        /*) ;;
        *) die "HOME is not set to an absolute path" "set it to your home directory" ;;
    esac
    [ -z "$project" ] || [ -d "$project" ] || die "there is no directory $project" "make it first"
    install_bubble
    set -- bundle install "$file"
    [ -z "$project" ] || set -- "$@" --project "$project"
    BUBBLE_OFFLINE=1 "$HOME/.local/bin/bubble" "$@"
}

find_hasher() {
    for hasher in sha256sum shasum openssl; do
        ! has "$hasher" || return 0
    done
    die "none of sha256sum, shasum and openssl is here, and nothing is unpacked unchecked" \
        "install one of them"
}

payload() { tail -c +@first@ "$file"; }

hash_stdin() {
    case $hasher in
        sha256sum) sha256sum | cut -d ' ' -f 1 ;;
        shasum) shasum -a 256 | cut -d ' ' -f 1 ;;
        openssl) openssl dgst -sha256 -r | cut -d ' ' -f 1 ;;
    esac
}

install_bubble() {
    for old in "$HOME"/.bubble-bundle.*; do # of runs that were killed
        [ ! -d "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
    done
    scratch=$HOME/.bubble-bundle.$$
    mkdir "$scratch" || die "$HOME can't be written" "set HOME to a directory of yours"
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    release=$scratch/bundle/bubble
    unpack bundle/bubble
    platform=$(sh "$release/install.sh" --platform) || exit 1
    own_of "$platform" || die "this bundle is for $platforms, and this machine is $platform" \
        "make one for it: bubble bundle create FILE --platform $platform"
    unpack "bundle/$own"
    mv "$scratch/bundle/$own" "$release/"
    set -- --offline "$release"
    [ -z "$prefix" ] || set -- "$@" --prefix "$prefix"
    [ -z "$init" ] || set -- "$@" "$init"
    sh "$release/install.sh" "$@" || exit 1
    rm -rf "$scratch"
}

unpack() { # unpack MEMBER: a file, or a directory with all that it has
    payload | tar -xf - -C "$scratch" "$1" || die "$1 can't be unpacked" "is there room in $HOME?"
}

{ main "$@"; exit; }
