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
	std::string payload;		/* as much of it as was seen */
};

class Sniffer {
public:
	enum class Store {
		segments,
		nothing,	/* only look for text: for as many packets as there may be */
	};

	/** Sees all that passes @p device from here on. */
	Sniffer(const Namespace &space, const std::string &device, Store store = Store::segments);
	~Sniffer();
	Sniffer(const Sniffer &) = delete;
	Sniffer &operator=(const Sniffer &) = delete;

	/** Was text() in the payload of a segment? */
	bool saw_text();
	/** Segments since the start, in order. */
	std::vector<Segment> segments();
	std::size_t count(const std::function<bool(const Segment &)> &wanted);

private:
	void work();
	void drain();
	bool take();

	int socket_;
	Store store_;
	std::size_t with_text_ = 0;
	std::mutex lock_;
	std::vector<Segment> segments_;
	int stop_;	/* readable when the worker is to end */
	std::thread worker_;
};

} // namespace e2e

#endif
