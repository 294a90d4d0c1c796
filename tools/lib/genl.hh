/* SPDX-License-Identifier: GPL-2.0 */
/* Transport: one generic netlink family behind libmnl. */
#ifndef TCPCRYPT_TOOLS_GENL_HH
#define TCPCRYPT_TOOLS_GENL_HH

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tcpcrypt {

class Genl {
public:
	/** Adds attributes to a request. */
	using Fill = std::function<void(nlmsghdr *)>;
	/** Gets each message of the answer. */
	using Receive = std::function<void(const nlmsghdr *)>;

	/** Throws NotLoaded when the kernel does not know the family. */
	Genl(const std::string &family, std::uint8_t version);

	/** One request that is not a dump, and what it answers. Throws KernelError. */
	void request(std::uint8_t command, const Fill &fill, const Receive &receive);
	/** A whole dump. Throws KernelError. */
	void dump(std::uint8_t command, const Fill &fill, const Receive &receive);

	std::uint16_t family_id() const { return family_; }

private:
	struct Close {
		void operator()(mnl_socket *socket) const { mnl_socket_close(socket); }
	};

	void exchange(std::uint16_t type, std::uint16_t flags, std::uint8_t command, std::uint8_t version,
		      const Fill &fill, const Receive &receive);
	void receive_all(std::uint32_t sequence, const Receive &receive);

	std::unique_ptr<mnl_socket, Close> socket_;
	std::vector<char> buffer_;
	std::uint32_t sequence_ = 0;
	std::uint16_t family_ = 0;
	std::uint8_t version_;
};

} // namespace tcpcrypt

#endif
