/* SPDX-License-Identifier: GPL-2.0 */
/* One end of a TCP connection, entirely under the control of a test. */
#ifndef CONFORMANCE_TCP_HH
#define CONFORMANCE_TCP_HH

#include "wire.hh"

namespace conformance {

/*
 * The sender keeps the whole stream (sent_), so that any range of it can be transmitted at any time and with any
 * boundaries; the receiver keeps all that the other end ever sent (received_, seen), and fails when a byte of the
 * stream is sent again with another value (F-02), or when a checksum is wrong.
 */
class Tcp : public Endpoint {
public:
	/** @remote_port 0: the first SYN to the local port decides it. */
	Tcp(Wire &wire, Address local, std::uint16_t local_port, Address remote, std::uint16_t remote_port);
	~Tcp() override;
	Tcp(const Tcp &) = delete;
	Tcp &operator=(const Tcp &) = delete;

	bool receive(const Segment &segment) override;

	/** A segment of this connection at the present sequence numbers, with the options that are due. */
	Segment blank(std::uint8_t flags) const;
	void transmit(const Segment &segment);

	void send_syn(View options, View payload = {});
	void send_syn_ack(View options, View payload = {});
	void send_ack();
	void send_ack(View options);
	void send_fin();
	void send_rst();

	/** Appends to the stream without transmitting; returns the offset of its first byte. */
	std::uint64_t enqueue(View bytes);
	/** Transmits bytes @from .. @to - 1 of the stream in one segment; FIN may be among the flags at the end. */
	void send_range(std::uint64_t from, std::uint64_t to, std::uint8_t extra_flags = 0);
	/** Transmits what was not transmitted yet, within the window, again if need be, until all is acknowledged. */
	void flush(std::size_t chunk = 0);
	/** As flush(), but a reset in the middle is what is to be expected. */
	void flush_until_reset();
	/** Transmits what was not transmitted yet, once, in segments of @chunk bytes, and waits for nothing. */
	void push(std::size_t chunk = 0);
	/** enqueue() and push(). */
	void send(View bytes);

	/** The stream as received without gaps. */
	View stream() const { return View(received_).first(contiguous_); }
	std::uint64_t sent_length() const { return sent_.size(); }
	View sent() const { return sent_; }
	std::uint64_t acknowledged() const { return acked_; }

	bool reset() const { return reset_; }
	/** The other end's FIN arrived, and all before it. */
	bool finished() const { return fin_seen_ && contiguous_ == fin_offset_; }
	/** A segment without SYN (and without RST) arrived. */
	bool heard() const { return heard_; }
	bool fin_acknowledged() const { return fin_acked_; }

	void wait_reset();
	void wait_finished();
	void wait_stream(std::size_t length);
	void wait_acknowledged();
	/** Retransmits our FIN until it is acknowledged. */
	void wait_fin_acknowledged();
	void wait_acknowledged_to(std::uint64_t offset);

	/** Every segment of the other end, in the order of arrival. */
	std::vector<Segment> seen;
	const Segment &wait_segment(const std::function<bool(const Segment &)> &match, const std::string &what,
				    Millis limit = patience);
	/** Forget what was matched so far: wait_segment() starts behind the last segment seen. */
	void skip_seen() { cursor_ = seen.size(); }

	std::uint32_t iss;
	std::uint32_t irs = 0;
	std::uint16_t mss = 1400;
	std::uint16_t window = 65535;
	/** Acknowledge on arrival. */
	bool automatic = true;
	/** Never acknowledge beyond this offset of the stream. */
	std::uint64_t acknowledge_limit = UINT64_MAX;
	/** Put ENO in segments until a non-SYN segment was heard (E-12). */
	bool eno_until_heard = false;
	/** Options of the other end's SYN or SYN-ACK. */
	Bytes syn_options;
	/** Do not reset the connection when this object goes. */
	bool leave = false;

	std::uint32_t next_seq() const;
	std::uint32_t next_ack() const;
	Wire &wire() { return wire_; }
	const Address &remote() const { return remote_; }
	const Address &local() const { return local_; }
	std::uint16_t remote_port() const { return remote_port_; }

private:
	void receive_syn(const Segment &segment);
	void receive_payload(const Segment &segment);
	void receive_ack(const Segment &segment);
	void note_options(View own);
	void agree_options();
	void store(std::uint64_t offset, View bytes);

	Wire &wire_;
	Address local_;
	Address remote_;
	std::uint16_t local_port_;
	std::uint16_t remote_port_;

	Bytes sent_;
	std::uint64_t pushed_ = 0;
	std::uint64_t acked_ = 0;
	bool syn_sent_ = false;
	bool fin_sent_ = false;
	bool fin_acked_ = false;
	std::uint32_t remote_window_ = 0;

	bool synchronized_ = false;
	Bytes received_;
	std::vector<bool> have_;
	std::size_t contiguous_ = 0;
	bool fin_seen_ = false;
	std::size_t fin_offset_ = 0;
	bool reset_ = false;
	bool heard_ = false;
	std::size_t cursor_ = 0;

	bool own_timestamps_ = false;
	bool own_wscale_ = false;
	bool timestamps_ = false;
	unsigned remote_shift_ = 0;
	std::uint32_t timestamp_echo_ = 0;
	Clock::time_point created_ = Clock::now();
};

} // namespace conformance

#endif
