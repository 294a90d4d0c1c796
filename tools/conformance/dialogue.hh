/* SPDX-License-Identifier: GPL-2.0 */
/* One connection between the peer and the device under test, step by step. */
#ifndef CONFORMANCE_DIALOGUE_HH
#define CONFORMANCE_DIALOGUE_HH

#include "channel.hh"
#include "eno.hh"
#include "run.hh"

namespace conformance {

/** The TEPs that net.tcpcrypt.teps lets the device use, best first. */
std::vector<const Tep *> device_teps();

/** What the peer sends while TCP connects. */
struct Opening {
	/** Contents of our SYN-form; default: what an honest peer in our role sends. */
	std::optional<Bytes> eno{};
	/** The whole option area of our SYN or SYN-ACK in place of MSS and ENO. */
	std::optional<Bytes> options{};
	/** The whole option area of our third segment; default: ENO when it was negotiated. */
	std::optional<Bytes> third{};
	/** Data in our SYN or SYN-ACK. */
	Bytes payload{};
};

/** What the peer says in the key exchange. */
struct Exchange {
	/** As A: offered. As B: the first one that the device offered is chosen. */
	std::vector<std::uint16_t> ciphers{0x0001, 0x0002, 0x0010};
	/** Behind our public key. */
	Bytes ignored{};
};

/** Far from any window. */
constexpr std::uint32_t far_away = 0x40000000;

/*
 *   device passive:  syn -> syn_ack -> third -> accepted -> send_init -> take_init -> keys
 *   device active:   syn -> syn_ack -> third -> connected -> take_init -> send_init -> keys
 *
 * open() and exchange() do all of it; the single steps are there for cases that go wrong on purpose.
 */
class Dialogue {
public:
	/** @tep: the one that default_contents() has. */
	explicit Dialogue(Run &run, const Tep &tep = curve25519);

	/** TCP's handshake; afterwards fd() is the device's socket and encrypted() says what was negotiated. */
	void open(const Opening &opening = {});
	/** Init messages both ways, and the keys from them. */
	void exchange(const Exchange &parameters = {});
	/** open() and exchange(); fails when ENO was not negotiated. */
	void establish(const Exchange &parameters = {});

	/** Steps of open(). */
	void listen();
	void start_connect();
	/** Sends our SYN and takes the device's SYN-ACK, or takes its SYN. */
	void send_syn(const Opening &opening = {});
	void take_syn_ack();
	void take_syn();
	void send_syn_ack(const Opening &opening = {});
	void send_third(const Opening &opening = {});
	void take_third();
	void accept();
	void finish_connect();

	/** What an attacker off the path sends, with MSS alone, @off behind our ISN; to be changed and transmitted. */
	Segment forged(std::uint8_t flags, std::uint32_t off = 0) const;
	/** A connect() up to the keys; before our SYN-ACK comes a forged one that TCP does not take, without ENO. */
	void connect_past_forged_syn_ack(bool wrong_ack);
	/** The device passive, its application still in accept(): our Init1 comes first, then the rest of exchange(). */
	void exchange_before_accept();

	/** Steps of exchange(). */
	Bytes own_init(const Exchange &parameters = {}) const;
	void send_init(View message);
	Init take_init();
	/** With our Init message as sent. */
	void derive_keys(View own_message);

	bool is_passive() const { return run.role == Role::passive; }
	/** We are A: as the active opener, or because the device asked for b=1. */
	bool is_a() const { return is_passive() != device_is_b; }
	/** Both SYNs had ENO, and the outcome is encryption with a TEP of tcpcrypt: keys.tep(). */
	bool encrypted() const { return encrypted_; }
	/** What the two options should have come to, by our reading of RFC 8547 alone; null for plain TCP. */
	const Tep *expected_tep() const;
	int fd() const { return fd_; }
	std::string fd_text() const { return std::to_string(fd_); }
	Channel &channel() { return *channel_; }
	const Session &session() const { return *session_; }
	/*
	 * Resumption: with @secret, the default option offers it, or agrees to it when the device offers it. After
	 * open(), resumed() says what came of it, and resume() makes the keys. Either way this secret is used.
	 */
	std::optional<Secret> secret;
	Bytes resume_nonce = random_bytes(8);
	bool resumed() const { return resumed_; }
	/** The keys of a resumed session, and its channel; frames may follow at once. */
	void resume();
	/** open(), fails if it was not resumed, and resume(). */
	void reestablish(const Opening &opening = {});
	/** What our side keeps of this session for the next one. */
	Secret next_secret() const;
	/** TEP with v=1, our half and our nonce. */
	Bytes resume_suboption() const;
	/** The device's suboption for this TEP; a null pointer when there is none. */
	std::optional<TepOffer> device_offer(std::uint8_t tep) const;
	/** The whole ENO options of the two SYNs; empty when there was none. */
	Bytes own_option;
	Bytes device_option;
	/** Transcript as our side sees it, unless a case replaces it (E-19). */
	Bytes transcript() const;
	std::optional<Bytes> forged_transcript;
	std::optional<Init> device_init;
	/** ES where it is known without a private key of ours. */
	std::optional<Bytes> known_secret;

	/** Application steps. */
	Answer app(const std::string &verb, const std::string &arguments = "");
	std::string app_start(const std::string &verb, const std::string &arguments = "");
	/** SO_ERROR behind an RST of the device's: a stack may send that first, and then say so. "0" if it says nothing. */
	Answer app_error();
	/** The application reads exactly these bytes. */
	void app_receives(View data);
	void app_sends(View data);
	void app_reads_eof();
	/** recv says EOF for none, else the error. */
	void app_recv_fails(const std::string &errno_name);
	Answer getsockopt(int option, std::size_t max);
	/** An int among the options of level SOL_TCP_ENO. */
	int option_number(int option);

	/** Frames both ways, and getsockopt gives our session ID. */
	void prove_encrypted();
	/** Plain bytes both ways, and getsockopt says that a plain socket has no such option. */
	void prove_plain();
	/** The device sends RST, and the application's recv() fails with one of these. */
	void prove_abort_any(const std::vector<std::string> &errnos);
	void prove_abort(const std::string &errno_name) { prove_abort_any({errno_name}); }

	/** What the device's SYN or SYN-ACK must look like (E-03, E-05, E-11, E-17, E-23, E-24). */
	void check_device_syn() const;
	void check_device_syn_ack() const;
	/** Sent by an honest peer in our role. */
	Bytes default_contents() const;
	const Bytes &syn_area() const { return syn_area_; }

	Run &run;
	Tcp tcp;
	/** Ours, new ones when another TEP is negotiated. */
	KeyPair keys;
	Bytes nonce;
	/** An active device that sends b=1 (E-05). */
	bool device_is_b = false;
	/** Contents of the device's option as its application set them (TCP_ENO_RAW): nothing else is in its SYN. */
	std::optional<Bytes> device_raw;
	/** What is done to the device's socket before it connects. */
	std::function<void(int fd)> prepare;
	/** A connect request under way. */
	std::string connecting;
	std::uint16_t peer_port;

	/** From both options, when both are known. */
	void negotiate();

private:
	Bytes area_for(const Opening &opening);

	int fd_ = -1;
	bool agreed(const TepOffer &own, const TepOffer &device) const;

	bool encrypted_ = false;
	bool resumed_ = false;
	Bytes syn_area_;
	std::optional<Session> session_;
	std::optional<Channel> channel_;
};

} // namespace conformance

#endif
