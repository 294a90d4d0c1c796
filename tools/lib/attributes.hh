/* SPDX-License-Identifier: GPL-2.0 */
/* The attributes of a netlink message, or of a nest, by type. */
#ifndef TCPCRYPT_TOOLS_ATTRIBUTES_HH
#define TCPCRYPT_TOOLS_ATTRIBUTES_HH

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tcpcrypt {

/** Refers to the message, which must live longer. What is too short, or not there, reads as absent. */
class Attributes {
public:
	/** Those that follow @p offset bytes of the message's payload. */
	Attributes(const nlmsghdr *message, std::size_t offset);
	/** Those of a generic netlink message. */
	static Attributes of_genl(const nlmsghdr *message);
	/** Those inside @p nest. */
	explicit Attributes(const nlattr *nest);

	bool has(int type) const { return find(type) != nullptr; }
	/** An unsigned integer of 1, 2, 4 or 8 bytes. */
	std::optional<std::uint64_t> number(int type) const;
	std::optional<std::string> text(int type) const;
	std::optional<std::span<const std::uint8_t>> bytes(int type) const;
	/** All attributes of a type that may occur more than once, in order. */
	std::vector<Attributes> nests(int type) const;
	/** Type and payload size of each, in order. */
	std::vector<std::pair<int, std::size_t>> list() const;

private:
	const nlattr *find(int type) const;
	void add_all(const void *first, std::size_t size);

	std::vector<const nlattr *> all_;
};

} // namespace tcpcrypt

#endif
