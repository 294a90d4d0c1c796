# SPDX-License-Identifier: GPL-2.0
# The module for the running kernel and the tools: `make && sudo insmod tcpcrypt.ko`.
# Everything that boots a kernel is done by scripts/: see Documentation/testing.md.

KDIR ?= /lib/modules/$(shell uname -r)/build
DESTDIR ?=
PREFIX ?= /usr

all: module tools

module:
	@[ -e "$(KDIR)/Makefile" ] || { echo "No headers of the running kernel in $(KDIR): install them (Debian: apt install linux-headers-$$(uname -r)), or set KDIR." >&2; exit 1; }
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" modules

tools:
	@scripts/native tools

unit:
	@scripts/setup
	@scripts/native unit

fuzz:
	@scripts/setup
	@scripts/native fuzz

kunit:
	@scripts/setup
	@scripts/vm --kernel uml-debug -- tests/run kunit

check:
	@scripts/check

check-quick:
	@scripts/check --quick

conformance:
	@scripts/setup
	@scripts/vm --kernel uml-debug -- tests/run peer

demo bench bench-gate:
	@scripts/$@

kernels:
	@scripts/setup
	@scripts/kernels-all

install: all
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" INSTALL_MOD_PATH="$(DESTDIR)" modules_install
	cmake --install build/native --prefix "$(DESTDIR)$(PREFIX)"
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/include/linux" include/uapi/linux/*.h

clean:
	rm -rf build
	rm -f tcpcrypt.ko tcpcrypt.o tcpcrypt.mod tcpcrypt.mod.[co] .tcpcrypt.* \
		Module.symvers modules.order .Module.symvers.cmd .modules.order.cmd .module-common.o
	find src \( -name '*.o' -o -name '.*.cmd' \) -delete

.PHONY: all module tools unit fuzz kunit check check-quick conformance demo bench bench-gate kernels install clean
