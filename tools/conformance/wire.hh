/* SPDX-License-Identifier: GPL-2.0 */
/* The event loop: hands received segments to endpoints, and waits for conditions. */
#ifndef CONFORMANCE_WIRE_HH
#define CONFORMANCE_WIRE_HH

#include "link.hh"

#include <chrono>
#include <functional>
#include <stdexcept>

namespace conformance {

/** The case does not hold. */
struct Failure : std::runtime_error {
	using std::runtime_error::runtime_error;
};

/** The case cannot be run here. */
struct Skip : std::runtime_error {
	using std::runtime_error::runtime_error;
};

void check(bool holds, const std::string &otherwise);

using Millis = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
inline constexpr Millis patience{10000};

class Shim;

class Endpoint {
public:
	virtual ~Endpoint() = default;
	/** False: not for this endpoint. */
	virtual bool receive(const Segment &segment) = 0;
};

class Wire {
public:
	explicit Wire(Link &link) : link_(link) {}

	void attach(Endpoint *endpoint);
	void detach(Endpoint *endpoint);
	/** Calls @readable whenever @descriptor is readable; -1 ends that. */
	void watch(int descriptor, std::function<void()> readable);

	void send(const Segment &segment);
	void send_raw(View packet);

	/** False when the limit is reached first. */
	bool wait_for(const std::function<bool()> &done, Millis limit);
	/** Throws Failure naming @what when the limit is reached first. */
	void wait(const std::function<bool()> &done, const std::string &what, Millis limit = patience);

	/** Between the link and us when the model is under test. */
	Shim *shim = nullptr;
	/** Print every segment. */
	bool trace = false;
	/** Time limits are multiplied by this, for slow machines. */
	unsigned scale = 1;

private:
	void poll_once(Clock::time_point until);
	void deliver();
	void print(const char *direction, const Segment &segment) const;

	Link &link_;
	std::vector<Endpoint *> endpoints_;
	int watched_ = -1;
	std::function<void()> readable_;
	Clock::time_point start_ = Clock::now();
};

} // namespace conformance

#endif
