// SPDX-License-Identifier: GPL-2.0
// One connection between the peer and the device under test, step by step.
#include "dialogue.hh"

#include <algorithm>
#include <sstream>

namespace conformance {

static constexpr int sol_tcp_eno = 0x454e;
static constexpr int tcp_eno_sessid = 2;
static constexpr std::uint8_t tep_v = 0x80;

std::vector<const Tep *> device_teps()
{
	auto setting = read_sysctl("net.tcpcrypt.teps");
	if (!setting)
		throw Skip("no sysctl net.tcpcrypt.teps");
	std::vector<const Tep *> teps;
	std::istringstream names(*setting);
	for (std::string name; names >> name;) {
		const Tep *tep = find_tep(name);
		check(tep != nullptr, "net.tcpcrypt.teps has the unknown TEP " + name);
		teps.push_back(tep);
	}
	return teps;
}

Dialogue::Dialogue(Run &of, const Tep &tep)
	: run(of), tcp(of.wire, of.peer_address(), of.fresh_port(), of.device_address(),
		       of.role == Role::passive ? of.listener_port() : std::uint16_t{0}),
	  keys(tep), nonce(random_bytes(nonce_length)), peer_port(tcp.blank(0).source_port)
{
}

Bytes Dialogue::resume_suboption() const
{
	Bytes first{static_cast<std::uint8_t>(tep_v | secret->tep)};
	return cat({first, secret->own_half(), resume_nonce});
}

std::optional<TepOffer> Dialogue::device_offer(std::uint8_t tep) const
{
	if (device_option.empty())
		return std::nullopt;
	SynForm form = parse_syn_form(View(device_option).subspan(2));
	const TepOffer *offer = form.count(tep) == 1 ? form.find(tep) : nullptr;
	return offer ? std::optional(*offer) : std::nullopt;
}

static bool has_half(const TepOffer &offer, View half)
{
	return offer.v && offer.data.size() >= resume_half && offer.data.size() <= resume_half + resume_nonce_max &&
	       equal(View(offer.data).first(resume_half), half);
}

/** N-02, R-04: v=1 from both, and both halves of what we know. */
bool Dialogue::agreed(const TepOffer &own, const TepOffer &device) const
{
	return secret && secret->tep == own.tep && has_half(own, secret->own_half()) &&
	       has_half(device, secret->device_half());
}

Bytes Dialogue::default_contents() const
{
	if (secret && is_passive())
		return resume_suboption();
	if (secret) {
		auto offer = device_offer(secret->tep);
		if (offer && has_half(*offer, secret->device_half()))
			return cat({Bytes{eno_global_b}, resume_suboption()});
	}
	return is_a() ? Bytes{keys.tep().id} : Bytes{eno_global_b, keys.tep().id};
}

Bytes Dialogue::area_for(const Opening &opening)
{
	Bytes contents = opening.eno.value_or(default_contents());
	syn_area_ = opening.options ? *opening.options : cat({mss_option(1460), eno_option(contents)});
	own_option = count_options(syn_area_, OPT_ENO) == 1 ? find_option(syn_area_, OPT_ENO) : Bytes{};
	return syn_area_;
}

/** E-10, N-01, R-03: what A said about this TEP offers a fresh key exchange. */
static bool offers_fresh(const SynForm &a, std::uint8_t tep)
{
	return a.count(tep) == 1 && a.find(tep)->data.size() <= resume_half + resume_nonce_max;
}

/* RFC 8547 sections 4.2-4.5: whatever order A's option has, the last valid TEP of B's counts. */
const Tep *Dialogue::expected_tep() const
{
	if (own_option.empty() || device_option.empty())
		return nullptr;
	SynForm own = parse_syn_form(View(own_option).subspan(2));
	SynForm device = parse_syn_form(View(device_option).subspan(2));
	if (!own.well_formed || !device.well_formed || (own.global & 1) == (device.global & 1))
		return nullptr;
	const SynForm &a = is_a() ? own : device;
	const SynForm &b = is_a() ? device : own;
	const Tep *found = nullptr;
	// v=1 from B means nothing where no resumption was offered.
	for (const TepOffer &offer : b.teps) {
		if (b.count(offer.tep) != 1 || !offers_fresh(a, offer.tep))
			continue;
		if (!offer.v || agreed(*own.find(offer.tep), *device.find(offer.tep)))
			found = find_tep(offer.tep);
	}
	return found;
}

void Dialogue::resume()
{
	check(resumed_, "the session was not resumed; the device's option is " +
				(device_option.empty() ? std::string("missing") : to_hex(device_option)));
	TepOffer own = *parse_syn_form(View(own_option).subspan(2)).find(secret->tep);
	TepOffer device = *device_offer(secret->tep);
	View own_nonce = View(own.data).subspan(resume_half);
	View device_nonce = View(device.data).subspan(resume_half);
	bool a = secret->is_a;
	session_ = secret->session(static_cast<std::uint8_t>(tep_v | secret->tep), a ? own_nonce : device_nonce,
				   a ? device_nonce : own_nonce);
	channel_.emplace(tcp, a ? session_->ab : session_->ba, a ? session_->ba : session_->ab, 0);
}

void Dialogue::reestablish(const Opening &opening)
{
	open(opening);
	resume();
}

Secret Dialogue::next_secret() const
{
	if (resumed_)
		return secret->next();
	return first_secret(*session_, keys.tep().id, session_->ab.aead(), is_passive());
}

void Dialogue::negotiate()
{
	const Tep *tep = expected_tep();
	encrypted_ = tep != nullptr;
	auto offer = tep ? device_offer(tep->id) : std::nullopt;
	resumed_ = offer && offer->v && secret &&
		   agreed(*parse_syn_form(View(own_option).subspan(2)).find(tep->id), *offer);
	if (tep && tep != &keys.tep())
		keys = KeyPair(*tep);
}

void Dialogue::check_device_syn() const
{
	const Bytes &area = tcp.syn_options;
	check(count_options(area, OPT_ENO) <= 1, "two ENO options in the device's SYN (E-01)");
	check(find_option(area, OPT_EXPERIMENT).empty(), "the device sends the experimental option (E-23)");
	if (device_raw) {
		check(equal(device_option, eno_option(*device_raw)), "the device's SYN has not what its application set");
		return;
	}
	if (device_option.empty())
		return;
	SynForm form = parse_syn_form(View(device_option).subspan(2));
	check(form.well_formed, "ill-formed option in the device's SYN (E-24)");
	check(form.globals <= 1, "several globals in the device's SYN (E-03)");
	check((form.global & eno_global_z) == 0, "z bits in the device's SYN (E-04)");
	check(((form.global & eno_global_b) != 0) == device_is_b, "the wrong b bit in the device's SYN (E-05)");
	Bytes fast_open = find_option(area, OPT_FAST_OPEN);
	check(fast_open.size() <= 2, "non-empty Fast Open in a SYN with ENO (E-17)");
}

void Dialogue::check_device_syn_ack() const
{
	const Bytes &area = tcp.syn_options;
	check(count_options(area, OPT_ENO) <= 1, "two ENO options in the device's SYN-ACK (E-01)");
	check(find_option(area, OPT_EXPERIMENT).empty(), "the device sends the experimental option (E-23)");
	if (device_option.empty())
		return;
	check(!own_option.empty(), "ENO in the SYN-ACK although the SYN had no single ENO option");
	if (device_raw) {
		check(equal(device_option, eno_option(*device_raw)), "the device's SYN-ACK has not what its application set");
		return;
	}
	SynForm form = parse_syn_form(View(device_option).subspan(2));
	check(form.well_formed, "ill-formed option in the device's SYN-ACK (E-24)");
	check(form.globals == 1, "not exactly one global in the device's SYN-ACK (E-03, E-05)");
	check((form.global & eno_global_z) == 0, "z bits in the device's SYN-ACK (E-04)");
	check((form.global & eno_global_b) != 0, "b=0 in the device's SYN-ACK (E-05)");
	check(form.teps.size() == 1, "not exactly one TEP in the device's SYN-ACK (E-11)");
	SynForm own = parse_syn_form(View(own_option).subspan(2));
	check(own.count(form.teps[0].tep) == 1, "the device chose a TEP that we did not offer (E-10)");
}

void Dialogue::listen()
{
	run.listener();
}

void Dialogue::start_connect()
{
	fd_ = run.device.demand_number("socket " + run.family_digit());
	if (prepare)
		prepare(fd_);
	connecting = run.device.start("connect " + fd_text() + " " + run.addresses().peer + " " +
				      std::to_string(peer_port));
}

void Dialogue::send_syn(const Opening &opening)
{
	tcp.send_syn(area_for(opening), opening.payload);
}

void Dialogue::take_syn_ack()
{
	const Segment &answer = tcp.wait_segment([](const Segment &s) { return s.has(SYN) || s.has(RST); }, "SYN-ACK");
	check(answer.has(SYN | ACK), "RST instead of SYN-ACK");
	check(answer.payload.empty(), "data in the SYN-ACK (E-17)");
	device_option = find_option(answer.options, OPT_ENO);
	check_device_syn_ack();
	negotiate();
}

void Dialogue::take_syn()
{
	const Segment &syn = tcp.wait_segment([](const Segment &s) { return s.has(SYN); }, "SYN");
	check(!syn.has(ACK), "SYN-ACK instead of SYN");
	check(syn.payload.empty(), "data in the SYN (E-17)");
	device_option = find_option(syn.options, OPT_ENO);
	check_device_syn();
}

void Dialogue::send_syn_ack(const Opening &opening)
{
	Bytes area = area_for(opening);
	negotiate();
	tcp.send_syn_ack(area, opening.payload);
}

void Dialogue::send_third(const Opening &opening)
{
	// E-12: as A, every segment up to the first one heard.
	tcp.eno_until_heard = encrypted_;
	if (opening.third)
		tcp.send_ack(*opening.third);
	else
		tcp.send_ack();
}

void Dialogue::take_third()
{
	const Segment &third = tcp.wait_segment([](const Segment &s) { return !s.has(SYN); }, "the third segment");
	check(!third.has(RST), "RST as the third segment");
	check(third.has(ACK), "third segment without ACK");
	bool eno = !find_option(third.options, OPT_ENO).empty();
	if (encrypted_) {
		check(eno, "third segment without ENO (E-12)");
		check(equal(find_option(third.options, OPT_ENO), eno_ack()), "the non-SYN form is not empty (E-02)");
	} else {
		check(!eno, "ENO in the third segment although encryption is off (E-13)");
	}
}

void Dialogue::accept()
{
	fd_ = run.device.demand_number("accept " + std::to_string(run.listener()));
}

void Dialogue::finish_connect()
{
	Answer answer = run.device.finish(connecting);
	check(answer.ok, "connect() failed with " + answer.value);
}

Segment Dialogue::forged(std::uint8_t flags, std::uint32_t off) const
{
	Segment segment = tcp.blank(flags);
	segment.seq = tcp.iss + off;
	segment.options = mss_option(1460);
	return segment;
}

void Dialogue::connect_past_forged_syn_ack(bool wrong_ack)
{
	start_connect();
	take_syn();
	Segment segment = forged(SYN | ACK, far_away);
	if (wrong_ack)
		segment.ack += far_away;
	else
		segment.bad_checksum = true;
	tcp.transmit(segment);
	tcp.skip_seen();
	send_syn_ack();
	tcp.wait_segment([](const Segment &s) { return s.has(ACK) && !s.has(SYN) && !s.has(RST); }, "the third segment");
	finish_connect();
	exchange();
}

void Dialogue::exchange_before_accept()
{
	Bytes message = own_init();
	send_init(message);
	accept();
	take_init();
	derive_keys(message);
}

void Dialogue::open(const Opening &opening)
{
	if (is_passive()) {
		send_syn(opening);
		take_syn_ack();
		send_third(opening);
		accept();
	} else {
		start_connect();
		take_syn();
		send_syn_ack(opening);
		take_third();
		finish_connect();
	}
}

Bytes Dialogue::own_init(const Exchange &parameters) const
{
	if (is_a())
		return make_init1(parameters.ciphers, nonce, keys.public_key(), parameters.ignored);
	for (std::uint16_t cipher : parameters.ciphers) {
		const auto &offered = device_init->ciphers;
		if (std::find(offered.begin(), offered.end(), cipher) != offered.end())
			return make_init2(cipher, nonce, keys.public_key(), parameters.ignored);
	}
	throw Failure("the device did not offer the AEAD of this case");
}

void Dialogue::send_init(View message)
{
	tcp.send(message);
}

Init Dialogue::take_init()
{
	std::uint32_t magic = is_a() ? init2_magic : init1_magic;
	std::optional<std::size_t> length;
	try {
		run.wire.wait(
			[&] {
				length = init_length(tcp.stream(), magic);
				return length || tcp.reset() || tcp.finished();
			},
			is_a() ? "Init2" : "Init1");
		check(length.has_value(), std::string(tcp.reset() ? "RST" : "FIN") + " instead of an Init message");
		View message = tcp.stream().first(*length);
		device_init = is_a() ? parse_init2(keys.tep(), message) : parse_init1(keys.tep(), message);
	} catch (const Failure &) {
		throw;
	} catch (const std::runtime_error &error) {
		throw Failure(error.what());
	}
	check(device_init->ignored.empty(), "ignored bytes in the device's Init message (K-01)");
	return *device_init;
}

Bytes Dialogue::transcript() const
{
	if (forged_transcript)
		return *forged_transcript;
	return is_a() ? cat({own_option, device_option}) : cat({device_option, own_option});
}

void Dialogue::derive_keys(View own_message)
{
	auto es = known_secret ? known_secret : keys.shared_secret(device_init->pub);
	check(es.has_value(), "the device's public key is not valid: " + to_hex(device_init->pub));
	std::uint16_t cipher = is_a() ? device_init->ciphers[0] : get16(own_message, init_head);
	check(aead_known(cipher), "the device chose the unknown AEAD " + std::to_string(cipher));
	AeadId aead{cipher};
	View init1 = is_a() ? own_message : View(device_init->wire);
	View init2 = is_a() ? View(device_init->wire) : own_message;
	View nonce_a = is_a() ? nonce : device_init->nonce;
	session_ = derive(keys.tep().id, aead, transcript(), init1, init2, *es, nonce_a);
	const Direction &sending = is_a() ? session_->ab : session_->ba;
	const Direction &receiving = is_a() ? session_->ba : session_->ab;
	channel_.emplace(tcp, sending, receiving, device_init->wire.size());
}

void Dialogue::exchange(const Exchange &parameters)
{
	check(encrypted_, "ENO was not negotiated; the device's option is " +
				  (device_option.empty() ? std::string("missing") : to_hex(device_option)));
	if (is_a()) {
		Bytes message = own_init(parameters);
		send_init(message);
		take_init();
		derive_keys(message);
	} else {
		take_init();
		Bytes message = own_init(parameters);
		send_init(message);
		derive_keys(message);
	}
}

void Dialogue::establish(const Exchange &parameters)
{
	open();
	exchange(parameters);
}

std::string Dialogue::app_start(const std::string &verb, const std::string &arguments)
{
	return run.device.start(verb + " " + fd_text() + (arguments.empty() ? "" : " " + arguments));
}

Answer Dialogue::app(const std::string &verb, const std::string &arguments)
{
	return run.device.finish(app_start(verb, arguments));
}

Answer Dialogue::app_error()
{
	Answer error = app("error");
	for (int i = 0; i < 50 && error.ok && error.value == "0"; i++) {
		run.wire.wait_for([] { return false; }, Millis{20});
		error = app("error");
	}
	return error;
}

void Dialogue::app_receives(View data)
{
	Bytes got;
	while (got.size() < data.size()) {
		Answer answer = app("recv", std::to_string(data.size() - got.size()));
		check(answer.ok, "recv() failed with " + answer.value);
		check(answer.value != "-", "recv() gave end-of-file after " + std::to_string(got.size()) + " of " +
						   std::to_string(data.size()) + " bytes");
		auto more = from_hex(answer.value);
		check(more.has_value(), "agent: bad answer " + answer.value);
		append(got, *more);
		check(equal(got, data.first(got.size())), "recv() gave other bytes than were sent: " +
								  to_hex(*more).substr(0, 80));
	}
}

void Dialogue::app_sends(View data)
{
	Answer answer = app("send", to_hex(data));
	check(answer.ok, "send() failed with " + answer.value);
}

void Dialogue::app_reads_eof()
{
	Answer answer = app("recv", "1000");
	check(answer.ok && answer.value == "-", "recv() gave " + answer.shown() + " and not end-of-file");
}

void Dialogue::app_recv_fails(const std::string &errno_name)
{
	Answer answer = app("recv", "1000");
	check(!answer.ok && answer.value == errno_name,
	      "recv() gave " + (answer.ok && answer.value == "-" ? "end-of-file" : answer.shown()) + ", expected " +
		      errno_name);
}

Answer Dialogue::getsockopt(int option, std::size_t max)
{
	return app("getsockopt",
		   std::to_string(sol_tcp_eno) + " " + std::to_string(option) + " " + std::to_string(max));
}

int Dialogue::option_number(int option)
{
	Answer answer = getsockopt(option, 4);
	check(answer.ok, "getsockopt(" + std::to_string(option) + ") failed with " + answer.value);
	auto bytes = from_hex(answer.value);
	check(bytes && bytes->size() == 4, "getsockopt(" + std::to_string(option) + ") gave " + answer.value);
	int value = 0;
	std::copy(bytes->begin(), bytes->end(), reinterpret_cast<std::uint8_t *>(&value));
	return value;
}

void Dialogue::prove_encrypted()
{
	Bytes to_device = text("from the peer to the device");
	Bytes to_peer = text("from the device to the peer");
	channel().send(to_device);
	app_receives(to_device);
	app_sends(to_peer);
	check(equal(channel().read(to_peer.size()), to_peer), "other data in the device's frame than was written");
	check(!contains(tcp.stream(), to_peer), "plaintext on the wire");
	Answer answer = getsockopt(tcp_eno_sessid, 33);
	check(answer.ok, "getsockopt(TCP_ENO_SESSID) failed with " + answer.value);
	check(answer.value == to_hex(session().session_id), "getsockopt gives another session ID than ours");
}

void Dialogue::prove_plain()
{
	Bytes to_device = text("plain bytes to the device");
	Bytes to_peer = text("plain bytes to the peer");
	std::size_t before = tcp.stream().size();
	tcp.send(to_device);
	app_receives(to_device);
	app_sends(to_peer);
	tcp.wait_stream(before + to_peer.size());
	check(equal(tcp.stream().subspan(before), to_peer), "the device's stream is not what its application wrote");
	Answer answer = getsockopt(tcp_eno_sessid, 33);
	// As on a machine without the module: Linux says EOPNOTSUPP on IPv4 sockets, ENOPROTOOPT on IPv6 ones.
	check(!answer.ok && (answer.value == "ENOPROTOOPT" || answer.value == "EOPNOTSUPP"),
	      "getsockopt(TCP_ENO_SESSID) on a plain connection gave " + answer.shown());
	for (const Segment &segment : tcp.seen)
		check(segment.has(SYN) || find_option(segment.options, OPT_ENO).empty(),
		      "ENO in a segment of a plain connection (E-13)");
}

void Dialogue::prove_abort_any(const std::vector<std::string> &errnos)
{
	Answer answer = app("recv", "1000");
	std::string expected;
	for (const std::string &name : errnos)
		expected += (expected.empty() ? "" : " or ") + name;
	check(!(answer.ok && answer.value == "-"), "recv() gave end-of-file, expected " + expected);
	check(!answer.ok && std::find(errnos.begin(), errnos.end(), answer.value) != errnos.end(),
	      "recv() gave " + answer.shown().substr(0, 80) + ", expected " + expected);
	tcp.wait_reset();
}

} // namespace conformance
