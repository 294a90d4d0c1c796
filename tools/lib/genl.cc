// SPDX-License-Identifier: GPL-2.0
// Transport: one generic netlink family behind libmnl.
#include "genl.hh"

#include <linux/genetlink.h>

#include <cstring>

#include "attributes.hh"
#include "error.hh"

namespace tcpcrypt {

namespace {

/* What the kernel sends at once in a dump at most; libmnl 1.0.4 has no name for it. */
constexpr std::size_t buffer_size = 32768;

[[noreturn]] void fail(const char *what)
{
	int error = errno;
	throw KernelError(error, std::string(what) + ": " + std::strerror(error));
}

/** The text that came with an error, in the attributes after the first @p offset bytes; may be empty. */
std::string extack_text(const nlmsghdr *message, std::size_t offset)
{
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(message) < offset)
		return {};
	return Attributes(message, offset).text(NLMSGERR_ATTR_MSG).value_or("");
}

[[noreturn]] void refuse(int error, const std::string &text)
{
	std::string what = text.empty() ? std::strerror(error) : text + " (" + std::strerror(error) + ")";
	if (error == EPERM || error == EACCES)
		what += "; this needs CAP_NET_ADMIN in the network namespace: run it as root";
	throw KernelError(error, "the kernel refused: " + what);
}

/** The end of an answer that is not a dump: an error, or 0. */
void check_error(const nlmsghdr *message)
{
	if (mnl_nlmsg_get_payload_len(message) < sizeof(nlmsgerr))
		throw KernelError(EPROTO, "the kernel sent a truncated error");
	const auto *error = static_cast<const nlmsgerr *>(mnl_nlmsg_get_payload(message));
	if (error->error == 0)
		return;
	std::size_t offset = sizeof(*error);
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += error->msg.nlmsg_len - sizeof(nlmsghdr);
	refuse(-error->error, extack_text(message, offset));
}

/** The end of a dump carries an error as well. */
void check_done(const nlmsghdr *message)
{
	int error = 0;
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	if (error < 0)
		refuse(-error, extack_text(message, sizeof(error)));
}

} // namespace

Genl::Genl(const std::string &family, std::uint8_t version)
	: socket_(mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC)), buffer_(buffer_size), version_(version)
{
	if (!socket_)
		fail("cannot open a netlink socket");
	if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
		fail("cannot bind a netlink socket");
	int on = 1;
	mnl_socket_setsockopt(socket_.get(), NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket_.get(), NETLINK_CAP_ACK, &on, sizeof(on));

	auto name = [&](nlmsghdr *request) { mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, family.c_str()); };
	auto id = [&](const nlmsghdr *answer) {
		family_ = static_cast<std::uint16_t>(
			Attributes::of_genl(answer).number(CTRL_ATTR_FAMILY_ID).value_or(0));
	};
	try {
		exchange(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1, name, id);
	} catch (const KernelError &error) {
		if (error.error() == ENOENT)
			throw NotLoaded();
		throw;
	}
	if (family_ == 0)
		throw NotLoaded();
}

void Genl::request(std::uint8_t command, const Fill &fill, const Receive &receive)
{
	exchange(family_, NLM_F_ACK, command, version_, fill, receive);
}

void Genl::dump(std::uint8_t command, const Fill &fill, const Receive &receive)
{
	exchange(family_, NLM_F_DUMP, command, version_, fill, receive);
}

void Genl::exchange(std::uint16_t type, std::uint16_t flags, std::uint8_t command, std::uint8_t version,
		    const Fill &fill, const Receive &receive)
{
	nlmsghdr *message = mnl_nlmsg_put_header(buffer_.data());
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++sequence_;
	auto *header = static_cast<genlmsghdr *>(mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr)));
	header->cmd = command;
	header->version = version;
	if (fill)
		fill(message);
	if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0)
		fail("cannot send to the kernel");
	receive_all(sequence_, receive);
}

void Genl::receive_all(std::uint32_t sequence, const Receive &receive)
{
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
		if (got < 0) {
			if (errno == EINTR)
				continue;
			fail("cannot receive from the kernel");
		}
		int left = static_cast<int>(got);
		const auto *message = reinterpret_cast<const nlmsghdr *>(buffer_.data());
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			if (message->nlmsg_seq != sequence)
				continue;
			switch (message->nlmsg_type) {
			case NLMSG_ERROR:
				check_error(message);
				return;
			case NLMSG_DONE:
				check_done(message);
				return;
			case NLMSG_NOOP:
				break;
			default:
				if (receive)
					receive(message);
			}
		}
	}
}

} // namespace tcpcrypt
