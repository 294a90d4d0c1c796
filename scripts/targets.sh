# SPDX-License-Identifier: GPL-2.0
# The kernels that guests run: sourced by bash after lib.sh.

kernels=(6.1 7.2 uml-debug uml qemu-debug)	# and 6.12 on demand

# target NAME: sets kernel, machine (uml or qemu), suite (of the root file
# system), stock (1 or empty) and default_mem; fails for an unknown name.
target() {
	kernel=$1
	machine=qemu suite=bookworm stock='' default_mem=1024
	case $kernel in
	6.1)		stock=1 ;;
	6.12)		stock=1 suite=trixie ;;
	7.2|newest)	stock=1 suite=sid kernel=7.2 ;;
	# More, and modules lie above 2 GiB, out of reach of the AES assembler.
	uml)		machine=uml default_mem=480 ;;
	uml-debug)	machine=uml default_mem=512 ;;
	qemu-debug)	;;
	*)		return 1 ;;
	esac
}

# target_resolve: makes what the target needs if the cache lacks it, and sets
# qemu (root of the emulator), root, image (directory of a kernel of our own), vmlinuz, release, and kmake,
# the arguments of make for an external module.
target_resolve() {
	root=$("$top/scripts/root" "$suite") || exit 1
	image='' qemu=''
	[ $machine = uml ] || qemu=$("$top/scripts/root" emulator) || exit 1
	if [ -n "$stock" ]; then
		vmlinuz=$(echo "$root"/boot/vmlinuz-*)
		release=${vmlinuz##*/vmlinuz-}
		kmake=(-C "/lib/modules/$release/build")
	else
		image=$("$top/scripts/kernel" "$kernel") || exit 1
		vmlinuz=$image/build/arch/x86/boot/bzImage
		release=$(cat "$image/build/include/config/kernel.release")
		kmake=(-C "$image/source" "O=$image/build" "ARCH=$([ $machine = uml ] && echo um || echo x86_64)")
	fi
}
