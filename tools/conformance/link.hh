/* SPDX-License-Identifier: GPL-2.0 */
/* A link that carries IP packets: a TUN device, or one end of a pair inside the process. */
#ifndef CONFORMANCE_LINK_HH
#define CONFORMANCE_LINK_HH

#include "packet.hh"

#include <string>
#include <utility>

namespace conformance {

/** The two addresses of one family: the device under test has @device, we have @peer. */
struct AddressPair {
	std::string device;
	std::string peer;
	unsigned prefix;
};

inline const AddressPair addresses_v4{"10.98.0.1", "10.98.0.2", 24};
inline const AddressPair addresses_v6{"fd00:98::1", "fd00:98::2", 64};

class Link {
public:
	explicit Link(int descriptor) : descriptor_(descriptor) {}
	Link(Link &&other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
	Link(const Link &) = delete;
	Link &operator=(const Link &) = delete;
	Link &operator=(Link &&) = delete;
	~Link();

	int descriptor() const { return descriptor_; }
	void send(View packet);
	/** Without a value when nothing is there. */
	std::optional<Bytes> receive();

private:
	int descriptor_;
};

/** Makes the TUN device, gives the kernel its two addresses, and sets it up. Throws std::system_error. */
Link open_tun(const std::string &name);
std::pair<Link, Link> open_pair();

} // namespace conformance

#endif
