// SPDX-License-Identifier: GPL-2.0
// The model device in a directory of its own, and the faults that the cases must find in it.
#include "faults.hh"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace conformance {

ModelDirectory::ModelDirectory()
{
	std::string name = (std::filesystem::temp_directory_path() / "tcpcrypt-model.XXXXXX").string();
	if (!mkdtemp(name.data()))
		throw std::system_error(errno, std::generic_category(), name);
	path_ = name;
	static constexpr const char *defaults[][2] = {
		{"enable_connect", "1"},	{"enable_listen", "1"},	     {"syn_retries", "2"},
		{"handshake_timeout_ms", "10000"}, {"rekey_frames", "16777216"}, {"rekey_bytes", "68719476736"},
		{"teps", "curve25519 curve448 p256 p521"},
		{"aeads", "aes-128-gcm aes-256-gcm chacha20-poly1305"},
	};
	for (const auto &[key, value] : defaults)
		std::ofstream(path_ + "/" + key) << value << '\n';
}

ModelDirectory::~ModelDirectory()
{
	std::error_code ignored;
	std::filesystem::remove_all(path_, ignored);
}

std::string ModelDirectory::command(const std::string &program, const std::set<std::string> &faults) const
{
	std::string command = program + " " + path_;
	for (const std::string &fault : faults)
		command += " " + fault;
	return command;
}

static constexpr Fault faults[] = {
	// ENO
	{"two-options-accepted", "E-01.two-options.passive.v4"},
	{"two-options-accepted", "E-01.two-options.active.v4"},
	{"ill-formed-accepted", "E-08.length-byte-past-end.passive.v4"},
	{"ill-formed-accepted", "E-08.random-options.active.v4"},
	{"equal-roles-accepted", "E-05.b-set-in-syn.passive.v4"},
	{"equal-roles-accepted", "E-22.option-echoed-back.active.v4"},
	{"repeated-tep-accepted", "E-10.tep-repeated.passive.v4"},
	{"two-teps-answered", "E-24.device-option-is-sound.passive.v4"},
	{"global-missing", "E-24.device-option-is-sound.passive.v4"},
	{"bare-syn-ignored", "E-13.syn-again-without-eno.passive.v4"},
	{"forged-syn-believed", "E-13.forged-syn-wrong-isn.passive.v4"},
	{"forged-ack-believed", "E-13.forged-ack-wrong-number.passive.v4"},
	{"third-without-eno-accepted", "E-13.third-without-eno.passive.v4"},
	{"eno-in-every-syn", "E-14.syn-without-eno-by-sysctl.active.v4"},
	{"other-option-in-retransmission", "E-14.syn-retransmission-identical.active.v4"},
	{"syn-data-accepted", "E-18.syn-data-with-fast-open.passive.v4"},
	{"syn-data-accepted", "E-18.syn-data-with-fast-open-when-eno-fails.passive.v4"},
	{"simultaneous-open-is-plain", "E-09.simultaneous-open.active.v4"},
	{"third-without-eno-accepted", "E-13.simultaneous-syn-ack-without-eno.active.v4"},
	{"no-eno-behind-syn", "E-12.eno-until-heard.active.v4"},
	{"eno-forever", "E-13.plain-fin-is-eof.passive.v4"},
	{"wrong-checksum", "N-06.aes-128-gcm.active.v4"},
	{"repeated-tep-accepted", "E-10.repeated-tep-and-a-valid-one.active.v4"},
	{"order-of-the-offer", "E-11.order-of-preference.passive.v4"},
	{"first-valid-tep", "E-11.last-of-several.active.v4"},
	{"offer-backwards", "N-01.default-offer.active.v4"},
	{"teps-setting-ignored", "N-04.offer-by-sysctl.active.v4"},
	{"teps-setting-ignored", "N-04.answer-by-sysctl.passive.v4"},
	{"teps-setting-ignored", "N-04.disallowed-tep-is-plain.passive.v4"},
	// Key exchange
	{"point-not-checked", "N-03.p256-x-not-on-the-curve.passive.v4"},
	{"point-not-checked", "N-03.p521-prefix-04.active.v4"},
	{"zero-secret-accepted", "N-03.curve448-low-order-1.passive.v4"},
	{"secret-without-leading-zeros", "N-05.p256-secret-with-leading-zeros.active.v4"},
	{"secret-without-leading-zeros", "N-05.p521-secret-with-a-leading-zero.passive.v4"},
	{"key-repeated", "K-06.p256-fresh-each-time.active.v4"},
	{"ignored-bytes-not-hashed", "K-01.p521-ignored-behind-the-key.passive.v4"},
	{"session-id-without-tep", "N-04.curve448-with-aes-256-gcm.active.v4"},
	{"nonce-repeated", "K-07.fresh-each-time.active.v4"},
	{"key-repeated", "K-07.fresh-each-time.passive.v4"},
	{"first-offered-cipher", "K-03.own-preference.passive.v4"},
	{"ignored-bytes-sent", "N-06.aes-128-gcm.passive.v4"},
	{"ignored-bytes-not-hashed", "K-01.ignored-1-byte.passive.v4"},
	{"zero-secret-accepted", "N-03.low-order-one.active.v4"},
	{"transcript-without-options", "N-06.aes-128-gcm.active.v4"},
	{"session-id-without-tep", "N-06.aes-128-gcm.active.v4"},
	{"wrong-errno", "K-04.magic-byte-0.passive.v4"},
	{"plaintext-before-keys", "K-05.written-before-keys.active.v4"},
	// Frames
	{"bad-frame-skipped", "F-04.tag-first-byte.passive.v4"},
	{"bad-frame-skipped", "F-04.control-reserved-bit.active.v4"},
	{"reserved-bits-refused", "F-03.reserved-control-bits.active.v4"},
	{"reserved-bits-sent", "F-05.device-closes.active.v4"},
	{"empty-frame-is-eof", "F-01.empty-frames.passive.v4"},
	{"offset-from-first-frame", "N-06.aes-128-gcm.active.v4"},
	{"plaintext-sent", "N-06.aes-128-gcm.active.v4"},
	{"urgent-pointer-believed", "F-07.urgent-pointer-in-the-header.passive.v4"},
	{"rekey-unanswered", "F-09.rekey-empty.active.v4"},
	{"answer-without-rekey-bit", "F-09.rekey-with-data.passive.v4"},
	// The end
	{"finp-ignored", "F-06.finp-without-fin.passive.v4"},
	{"eof-on-fin", "F-06.fin-without-finp.active.v4"},
	{"eof-on-reset", "F-14.reset-after-init.passive.v4"},
	{"data-behind-finp-accepted", "F-06.data-behind-finp.active.v4"},
	{"no-finp", "F-05.device-closes.active.v4"},
	{"no-fin", "F-05.device-closes.passive.v4"},
	{"frame-behind-finp", "F-05.device-closes.active.v4"},
};

std::span<const Fault> all_faults()
{
	return faults;
}

const char *model_lacks(const std::string &name)
{
	// The beginning of a name, and what the model has not.
	static constexpr const char *lacks[][2] = {
		{"E-25.required-by-sysctl.", "net.tcpcrypt.enable_* of 2"},
		{"E-25.required-third-without-eno-by-sysctl.", "net.tcpcrypt.enable_listen of 2"},
		{"E-25.required-syn-cookies.", "net.tcpcrypt.enable_listen of 2"},
		{"E-25.required-cookie-out-of-reset.", "net.tcpcrypt.enable_listen of 2"},
		{"E-13.simultaneous-ill-formed-syn-ack.", "a close look at the segments of a simultaneous open"},
		{"E-13.simultaneous-forged-out-of-window.", "a close look at the segments of a simultaneous open"},
		{"K-05.simultaneous-written-before.", "a queue for what is written while two SYNs cross"},
		{"F-10.one-request-at-a-time.", "TCP_CRYPT_REKEY"},
		{"F-10.requests-cross.", "TCP_CRYPT_REKEY"},
		{"F-12.prob", "SO_KEEPALIVE"},
	};
	for (const auto &[beginning, what] : lacks)
		if (name.starts_with(beginning))
			return what;
	return nullptr;
}

} // namespace conformance
