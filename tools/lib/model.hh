/* SPDX-License-Identifier: GPL-2.0 */
/* What the module tells, as plain values: neither how it came here nor how it is printed. */
#ifndef TCPCRYPT_TOOLS_MODEL_HH
#define TCPCRYPT_TOOLS_MODEL_HH

#include <linux/tcpcrypt.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "address.hh"

namespace tcpcrypt {

/** A TEP or an AEAD. */
struct Algorithm {
	std::uint32_t id = 0;
	std::string name;
};

/** The module, and totals of the network namespace. */
struct Info {
	std::string version;
	std::uint64_t features = 0;
	bool draining = false;
	std::vector<Algorithm> teps;
	std::vector<Algorithm> aeads;
	std::uint32_t frame_data_limit = 0;
	std::uint32_t halfopen_limit = 0;
	std::uint64_t halfopen = 0;
	std::uint64_t current = 0;
	std::uint64_t encrypted = 0;
	std::uint64_t plain = 0;
	std::uint64_t aborted = 0;
	std::uint64_t current_resumed = 0;
	std::uint64_t resumed = 0;
	/** Session secrets kept for later connections. */
	std::uint64_t cached = 0;
};

/** What a connection has once its keys are there. */
struct Session {
	std::uint32_t tx_generation = 0;
	std::uint32_t rx_generation = 0;
	std::uint64_t tx_frames = 0;
	std::uint64_t tx_bytes = 0;
	std::uint64_t rx_frames = 0;
	std::uint64_t rx_bytes = 0;
	std::uint32_t handshake_us = 0;
	/** Empty without CAP_NET_ADMIN. */
	std::vector<std::uint8_t> id;
};

struct Connection {
	std::uint64_t cookie = 0;
	Address local;
	Address remote;
	std::uint16_t local_port = 0;
	std::uint16_t remote_port = 0;
	/** enum tcpcrypt_state */
	std::uint32_t state = 0;
	std::uint32_t uid = 0;
	bool active = false;
	bool closing = false;
	bool resumed = false;
	/** 0 = A, 1 = B */
	std::optional<std::uint32_t> role;
	std::optional<std::uint32_t> tep;
	std::optional<std::uint32_t> aead;
	std::optional<Session> session;
};

/** Which connections to list; what is not set matches any. */
struct Filter {
	int family = AF_UNSPEC;
	std::optional<Prefix> local;
	std::optional<Prefix> remote;
	std::optional<std::uint16_t> local_port;
	std::optional<std::uint16_t> remote_port;
	std::optional<std::uint32_t> state;
};

struct Counter {
	std::uint32_t id = 0;
	std::string name;
	std::uint64_t value = 0;
};

struct Counters {
	std::vector<Counter> stats;
	std::vector<Counter> fallbacks;
	std::vector<Counter> aborts;
};

} // namespace tcpcrypt

#endif
