// SPDX-License-Identifier: GPL-2.0
// A link that carries IP packets: a TUN device, or one end of a pair inside the process.
#include "link.hh"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace conformance {

static constexpr std::size_t packet_max = 65535;

[[noreturn]] static void fail(const std::string &what)
{
	throw std::system_error(errno, std::generic_category(), what);
}

Link::~Link()
{
	if (descriptor_ >= 0)
		close(descriptor_);
}

void Link::send(View packet)
{
	while (write(descriptor_, packet.data(), packet.size()) < 0) {
		if (errno == EINTR || errno == EAGAIN)
			continue;
		fail("sending a packet");
	}
}

std::optional<Bytes> Link::receive()
{
	Bytes packet(packet_max);
	ssize_t length = read(descriptor_, packet.data(), packet.size());
	if (length < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return std::nullopt;
		fail("receiving a packet");
	}
	if (length == 0)
		return std::nullopt;
	packet.resize(static_cast<std::size_t>(length));
	return packet;
}

/** A socket for configuration ioctls, closed at the end of the scope. */
class Control {
public:
	explicit Control(int family) : descriptor_(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0))
	{
		if (descriptor_ < 0)
			fail("socket for ioctl");
	}
	~Control() { close(descriptor_); }
	Control(const Control &) = delete;
	Control &operator=(const Control &) = delete;

	void request(unsigned long number, void *argument, const char *what)
	{
		if (ioctl(descriptor_, number, argument) < 0)
			fail(what);
	}

private:
	int descriptor_;
};

static ifreq request_for(const std::string &name)
{
	ifreq request{};
	name.copy(request.ifr_name, IFNAMSIZ - 1);
	return request;
}

static void set_v4(Control &control, const std::string &name)
{
	sockaddr_in address{};
	address.sin_family = AF_INET;
	Bytes bytes = parse_address(addresses_v4.device).bytes;
	std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
	ifreq request = request_for(name);
	std::memcpy(&request.ifr_addr, &address, sizeof(address));
	control.request(SIOCSIFADDR, &request, "SIOCSIFADDR");
	address.sin_addr.s_addr = htonl(~0U << (32 - addresses_v4.prefix));
	std::memcpy(&request.ifr_netmask, &address, sizeof(address));
	control.request(SIOCSIFNETMASK, &request, "SIOCSIFNETMASK");
}

static void set_v6(int index)
{
	Control control(AF_INET6);
	in6_ifreq request{};
	Bytes bytes = parse_address(addresses_v6.device).bytes;
	std::memcpy(&request.ifr6_addr, bytes.data(), bytes.size());
	request.ifr6_prefixlen = addresses_v6.prefix;
	request.ifr6_ifindex = index;
	control.request(SIOCSIFADDR, &request, "SIOCSIFADDR (IPv6)");
}

Link open_tun(const std::string &name)
{
	static constexpr const char *device = "/dev/net/tun";
	if (access(device, F_OK) < 0 && std::system("modprobe -q tun") != 0)
		throw std::runtime_error("there is no /dev/net/tun, and modprobe tun fails");
	Link link(open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK));
	if (link.descriptor() < 0)
		fail(device);
	ifreq request = request_for(name);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (ioctl(link.descriptor(), TUNSETIFF, &request) < 0)
		fail("TUNSETIFF " + name);

	Control control(AF_INET);
	// A window of bulk data in small segments must fit the device's queue.
	request = request_for(name);
	request.ifr_qlen = 5000;
	control.request(SIOCSIFTXQLEN, &request, "SIOCSIFTXQLEN");
	set_v4(control, name);
	request = request_for(name);
	control.request(SIOCGIFFLAGS, &request, "SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	control.request(SIOCSIFFLAGS, &request, "SIOCSIFFLAGS");
	control.request(SIOCGIFINDEX, &request, "SIOCGIFINDEX");
	set_v6(request.ifr_ifindex);
	return link;
}

std::pair<Link, Link> open_pair()
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		fail("socketpair");
	return {Link(ends[0]), Link(ends[1])};
}

} // namespace conformance
