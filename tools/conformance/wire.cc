// SPDX-License-Identifier: GPL-2.0
// The event loop: hands received segments to endpoints, and waits for conditions.
#include "wire.hh"

#include "shim.hh"

#include <poll.h>

#include <algorithm>
#include <cstdio>

namespace conformance {

void check(bool holds, const std::string &otherwise)
{
	if (!holds)
		throw Failure(otherwise);
}

void Wire::attach(Endpoint *endpoint)
{
	endpoints_.push_back(endpoint);
}

void Wire::detach(Endpoint *endpoint)
{
	std::erase(endpoints_, endpoint);
}

void Wire::watch(int descriptor, std::function<void()> readable)
{
	watched_ = descriptor;
	readable_ = std::move(readable);
}

void Wire::print(const char *direction, const Segment &segment) const
{
	auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start_).count();
	std::fprintf(stderr, "# %4lld.%06lld %s %s\n", static_cast<long long>(elapsed / 1000000),
		     static_cast<long long>(elapsed % 1000000), direction, describe(segment).c_str());
}

void Wire::send(const Segment &segment)
{
	if (trace)
		print("peer  ", segment);
	send_raw(encode(segment));
}

void Wire::send_raw(View packet)
{
	Bytes bytes(packet.begin(), packet.end());
	if (shim)
		shim->incoming(bytes);
	link_.send(bytes);
}

void Wire::deliver()
{
	while (auto packet = link_.receive()) {
		if (shim)
			shim->outgoing(*packet);
		auto segment = decode(*packet);
		if (!segment)
			continue;
		if (trace)
			print("device", *segment);
		for (Endpoint *endpoint : std::vector<Endpoint *>(endpoints_))
			if (endpoint->receive(*segment))
				break;
	}
}

void Wire::poll_once(Clock::time_point until)
{
	auto left = std::chrono::ceil<Millis>(until - Clock::now()).count();
	pollfd descriptors[] = {{link_.descriptor(), POLLIN, 0}, {watched_, POLLIN, 0}};
	if (poll(descriptors, 2, static_cast<int>(std::max<long long>(left, 0))) < 0)
		return;
	if (descriptors[0].revents)
		deliver();
	if (watched_ >= 0 && descriptors[1].revents)
		readable_();
}

bool Wire::wait_for(const std::function<bool()> &done, Millis limit)
{
	auto until = Clock::now() + limit * scale;
	while (!done()) {
		if (Clock::now() >= until)
			return false;
		poll_once(until);
	}
	return true;
}

void Wire::wait(const std::function<bool()> &done, const std::string &what, Millis limit)
{
	if (!wait_for(done, limit))
		throw Failure("waited in vain for " + what);
}

} // namespace conformance
