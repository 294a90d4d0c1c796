/* SPDX-License-Identifier: GPL-2.0 */
/* What somebody on the path sees: a packet capture of one device. */
#ifndef TCPCRYPT_E2E_SNIFFER_HH
#define TCPCRYPT_E2E_SNIFFER_HH

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "network.hh"

namespace e2e {

/** A TCP segment as it was seen, maybe a large one that is still to be cut by the device. */
struct Segment {
	std::uint16_t source = 0;	/* ports */
	std::uint16_t destination = 0;
	std::uint32_t seq = 0;
	std::uint32_t ack = 0;
	bool syn = false, fin = false, rst = false, push = false, acks = false, urgent = false;
	bool eno = false;		/* has option 69 */
	std::vector<std::uint8_t> eno_data;
	std::size_t packet = 0;		/* bytes from the network header on */
	std::size_t length = 0;		/* of payload */
	std::string payload;		/* as much of it as was kept */
};

class Sniffer {
public:
	/** Sees all that passes @p device from here on; @p keep bytes of each packet. */
	Sniffer(const Namespace &space, const std::string &device, std::size_t keep = 65536);
	~Sniffer();
	Sniffer(const Sniffer &) = delete;
	Sniffer &operator=(const Sniffer &) = delete;

	/** Was @p text in the payload of a segment? */
	bool saw(const std::string &text);
	/** Segments since the start, in order. */
	std::vector<Segment> segments();
	std::size_t count(const std::function<bool(const Segment &)> &wanted);

private:
	void work();
	void drain();
	bool take();

	int socket_;
	std::size_t keep_;
	std::mutex lock_;
	std::vector<Segment> segments_;
	int stop_;	/* readable when the worker is to end */
	std::thread worker_;
};

} // namespace e2e

#endif
