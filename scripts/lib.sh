# SPDX-License-Identifier: GPL-2.0
# Shell functions and names that the scripts share; sourced by bash.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpcrypt

# Compiler wrappers in the caller's environment would end up in cached kernels.
unset ARCH O M KBUILD_OUTPUT CROSS_COMPILE MAKEFLAGS MFLAGS MAKELEVEL

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

need_root() {
	[ "$(id -u)" = 0 ] || die "this needs root (chroot and mounts): run it with sudo -E"
}

# key TEXT...: a short hash of what something is made from.
key() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# uncommented FILE...: configuration without comments, so that wording does not
# rebuild a kernel.
uncommented() { cat "$@" | grep -E '^(CONFIG_|# CONFIG_.* is not set)'; }

package_version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null; }

# cached DIR MAKER ARGS...: DIR exists, complete, made by `MAKER DIR ARGS...`
# if it was not. Callers at the same time wait for the one that makes it; what
# a broken-off attempt left is MAKER's to resume or remove.
cached() {
	local dir=$1 status=0
	[ -e "$dir/.complete" ] && return
	need_root
	mkdir -p "$cache"
	(
		flock 9
		[ -e "$dir/.complete" ] && exit
		say "making ${dir##*/} (log: $dir.log)"
		if (set -e; shift; "$1" "$dir" "${@:2}") >"$dir.log" 2>&1; then
			touch "$dir/.complete"
		else
			tail -n 30 "$dir.log" >&2
			die "could not make ${dir##*/}"
		fi
	) 9>"$dir.lock" || status=$?
	[ $status = 0 ] || exit $status
}

# packages_of PLACE...: the Debian packages of scripts/packages for these places.
packages_of() {
	local place
	for place; do
		sed -n "s/^$place //p" "$top/scripts/packages"
	done | tr ' ' '\n' | sort -u
}
