// SPDX-License-Identifier: GPL-2.0
// The attributes of a netlink message, or of a nest, by type.
#include "attributes.hh"

#include <linux/genetlink.h>

#include <cstring>

namespace tcpcrypt {

namespace {

template <typename Integer> std::uint64_t load(const nlattr *attribute)
{
	Integer value;
	std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
	return value;
}

} // namespace

Attributes::Attributes(const nlmsghdr *message, std::size_t offset)
{
	std::size_t size = mnl_nlmsg_get_payload_len(message);
	if (MNL_ALIGN(offset) < size)
		add_all(mnl_nlmsg_get_payload_offset(message, offset), size - MNL_ALIGN(offset));
}

Attributes Attributes::of_genl(const nlmsghdr *message)
{
	return Attributes(message, sizeof(genlmsghdr));
}

Attributes::Attributes(const nlattr *nest)
{
	add_all(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

void Attributes::add_all(const void *first, std::size_t size)
{
	const auto *attribute = static_cast<const nlattr *>(first);
	int left = static_cast<int>(size);
	while (mnl_attr_ok(attribute, left)) {
		all_.push_back(attribute);
		left -= static_cast<int>(MNL_ALIGN(attribute->nla_len));
		attribute = mnl_attr_next(attribute);
	}
}

const nlattr *Attributes::find(int type) const
{
	for (const nlattr *attribute : all_)
		if (mnl_attr_get_type(attribute) == type)
			return attribute;
	return nullptr;
}

std::optional<std::uint64_t> Attributes::number(int type) const
{
	const nlattr *attribute = find(type);
	if (!attribute)
		return std::nullopt;
	switch (mnl_attr_get_payload_len(attribute)) {
	case 1:
		return load<std::uint8_t>(attribute);
	case 2:
		return load<std::uint16_t>(attribute);
	case 4:
		return load<std::uint32_t>(attribute);
	case 8:
		return load<std::uint64_t>(attribute);
	default:
		return std::nullopt;
	}
}

std::optional<std::string> Attributes::text(int type) const
{
	auto raw = bytes(type);
	if (!raw)
		return std::nullopt;
	const auto *first = reinterpret_cast<const char *>(raw->data());
	return std::string(first, strnlen(first, raw->size()));
}

std::optional<std::span<const std::uint8_t>> Attributes::bytes(int type) const
{
	const nlattr *attribute = find(type);
	if (!attribute)
		return std::nullopt;
	return std::span(static_cast<const std::uint8_t *>(mnl_attr_get_payload(attribute)),
			 mnl_attr_get_payload_len(attribute));
}

std::vector<Attributes> Attributes::nests(int type) const
{
	std::vector<Attributes> found;
	for (const nlattr *attribute : all_)
		if (mnl_attr_get_type(attribute) == type)
			found.emplace_back(attribute);
	return found;
}

std::vector<std::pair<int, std::size_t>> Attributes::list() const
{
	std::vector<std::pair<int, std::size_t>> found;
	for (const nlattr *attribute : all_)
		found.emplace_back(mnl_attr_get_type(attribute), mnl_attr_get_payload_len(attribute));
	return found;
}

} // namespace tcpcrypt
