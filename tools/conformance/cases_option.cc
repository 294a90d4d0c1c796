// SPDX-License-Identifier: GPL-2.0
// Cases about the ENO option in a SYN or SYN-ACK: ill-formed, repeated, unknown, in any place.
#include "cases.hh"

namespace conformance {

namespace {

enum class Outcome {
	plain,
	/** A TCP that looks for an authentication option may drop a segment with a broken list as a whole. */
	plain_or_dropped,
	encrypted,
};

/** One option in our SYN (device passive) or SYN-ACK (device active), and what becomes of the connection. */
struct OptionCase {
	const char *ids;
	const char *name;
	Outcome outcome;
	/** Contents of the ENO option in hexadecimal; without one: not for that role. */
	const char *in_syn;
	const char *in_syn_ack;
	/** What is negotiated, if the outcome is encryption. */
	const Tep &tep = curve25519;
};

constexpr OptionCase contents_table[] = {
	// Ill-formed: the whole option counts for nothing, whatever good suboptions it has.
	{"E-08", "length-byte-past-end", Outcome::plain, "23 84 f0 aa", "01 23 84 f0 aa"},
	{"E-08", "length-byte-past-end-by-one", Outcome::plain, "23 81 f0 aa", "01 23 81 f0 aa"},
	{"E-08", "longest-length-byte", Outcome::plain, "23 9f f0 aabbcc", "01 23 9f f0 aabbcc"},
	{"E-08", "length-byte-without-data", Outcome::plain, "23 80 f0", "01 23 80 f0"},
	{"E-08", "length-byte-at-end", Outcome::plain, "23 80", "01 23 80"},
	{"E-08", "length-byte-alone", Outcome::plain, "80", "80"},
	{"E-08", "length-then-00", Outcome::plain, "80 00 23", "01 80 00 23"},
	{"E-08", "length-then-1f", Outcome::plain, "80 1f 23", "01 80 1f 23"},
	{"E-08", "length-then-20", Outcome::plain, "80 20 23", "01 80 20 23"},
	{"E-08", "length-then-23", Outcome::plain, "80 23 23", "01 80 23 23"},
	{"E-08", "length-then-7f", Outcome::plain, "80 7f 23", "01 80 7f 23"},
	{"E-08", "length-then-80", Outcome::plain, "80 80 f0 23", "01 80 80 f0 23"},
	{"E-08", "length-then-9f", Outcome::plain, "80 9f 23", "01 80 9f 23"},
	{"E-08 E-24", "length-then-a0", Outcome::encrypted, "80 a0 aa 23", "01 80 a0 aa 23"},
	{"E-08 E-24", "length-then-ff", Outcome::encrypted, "80 ff aa 23", "01 80 ff aa 23"},
	{"E-08 E-24", "length-to-the-end", Outcome::encrypted, "23 81 f0 aabb", "01 23 81 f0 aabb"},

	// Globals.
	{"E-03", "several-globals-first-counts", Outcome::encrypted, "00 01 1f 23", "01 00 1e 23"},
	{"E-03 E-09", "several-globals-first-is-wrong", Outcome::plain, "01 00 00 23", "00 01 01 23"},
	{"E-03", "global-behind-the-tep", Outcome::encrypted, "23 00", "23 01"},
	{"E-03", "explicit-zero-global", Outcome::encrypted, "00 23", nullptr},
	{"E-03 E-09", "no-global-in-syn-ack", Outcome::plain, nullptr, "23"},
	{"E-04", "reserved-global-bits", Outcome::encrypted, "1c 23", "1d 23"},
	{"E-06", "application-aware-bit", Outcome::encrypted, "02 23", "03 23"},
	{"E-05 E-09", "b-set-in-syn", Outcome::plain, "01 23", nullptr},
	{"E-05 E-09", "b-clear-in-syn-ack", Outcome::plain, nullptr, "00 23"},
	{"E-04 E-09", "reserved-bits-do-not-make-b", Outcome::plain, nullptr, "1e 23"},

	// TEPs.
	{"E-10", "unknown-tep-before", Outcome::encrypted, "25 23", "01 25 23"},
	{"E-10 E-11", "unknown-tep-behind", Outcome::encrypted, "23 25", "01 23 25"},
	{"E-10", "reserved-teps-70-7f", Outcome::encrypted, "70 71 7e 23 7f", "01 70 71 7e 23 7f"},
	{"E-10", "reserved-tep-with-data", Outcome::encrypted, "83 f0 01020304 23 ff 99", "01 83 f0 01020304 23 ff 99"},
	{"E-10", "unknown-tep-with-open-data", Outcome::encrypted, "23 a5 010203", "01 23 a5 010203"},
	{"E-10", "tep-as-data-of-another", Outcome::plain, "a5 23", "01 a5 23"},
	{"E-10 E-13", "only-unknown-teps", Outcome::plain, "25 26 70", "01 25 26 70"},
	{"E-10 E-13", "only-unused-low-tep", Outcome::plain, "20", "01 20"},
	{"E-10", "tep-repeated", Outcome::plain, "23 23", "01 23 23"},
	{"E-10", "tep-repeated-apart", Outcome::plain, "23 25 23", "01 23 25 23"},
	{"E-10", "tep-repeated-with-v", Outcome::plain, "23 a3 000102030405060708", nullptr},
	{"E-10 E-11", "repeated-tep-and-a-valid-one", Outcome::encrypted, "23 23 24", "01 24 23 23", curve448},
	{"E-10 E-11", "repeated-tep-around-a-valid-one", Outcome::encrypted, "23 24 23", "01 23 24 23", curve448},
	{"E-10 E-13", "two-teps-repeated", Outcome::plain, "23 24 23 24", "01 23 24 24 23"},
	{"E-10 E-13", "p256-repeated", Outcome::plain, "21 21", "01 21 21"},
	{"E-10 E-13", "p521-repeated-with-v", Outcome::plain, "22 a2 000102030405060708", nullptr},
	{"E-11", "unknown-tep-behind-several", Outcome::encrypted, "24 23 25", "01 24 23 25 70"},
	{"E-11", "last-tep-counts", Outcome::encrypted, nullptr, "01 23 24", curve448},
	{"E-10", "unknown-tep-repeated", Outcome::encrypted, "25 25 23", "01 25 25 23"},
	{"E-16", "vacuous", Outcome::plain, "", ""},
	{"E-16", "vacuous-with-global", Outcome::plain, "00", "01"},

	// Resumption offers that nobody can know: fresh key exchange, or nothing.
	{"R-02 N-02", "unknown-resumption-offer", Outcome::encrypted, "a3 000102030405060708 1011121314151617", nullptr},
	{"R-02 N-02", "unknown-resumption-without-nonce", Outcome::encrypted, "a3 000102030405060708", nullptr},
	{"R-02 E-10", "resumption-offer-with-length", Outcome::encrypted, "90 a3 000102030405060708 1011121314151617 25", nullptr},
	{"R-03", "short-resumption-offer", Outcome::encrypted, "a3 0001020304050607", nullptr},
	{"R-03", "empty-resumption-offer", Outcome::encrypted, "a3", nullptr},
	{"R-03 E-10", "resumption-nonce-too-long", Outcome::plain, "a3 000102030405060708 101112131415161718", nullptr},
	{"R-02 N-02", "unknown-resumption-beside-another-tep", Outcome::encrypted, "24 a3 000102030405060708 1011121314151617", nullptr},
	{"R-02 N-02", "unknown-resumption-of-curve448", Outcome::encrypted, "a4 000102030405060708 1011121314151617", nullptr, curve448},
	{"R-02 N-02", "unknown-resumption-of-p521", Outcome::encrypted, "a2 000102030405060708 1011121314151617", nullptr, p521},
	{"R-03 N-02", "short-resumption-of-p256", Outcome::encrypted, "a1 0001020304050607", nullptr, p256},
	{"R-03 E-10", "resumption-nonce-too-long-beside-another-tep", Outcome::encrypted,
	 "24 a3 000102030405060708 101112131415161718", nullptr, curve448},
	{"R-04 E-11", "resumption-not-offered-behind-a-valid-tep", Outcome::encrypted, nullptr,
	 "01 24 a3 000102030405060708 1011121314151617", curve448},
	{"R-04 E-11", "empty-resumption-behind-a-valid-tep", Outcome::encrypted, nullptr, "01 21 a3", p256},
	{"R-04", "resumption-not-offered", Outcome::plain, nullptr, "01 a3 000102030405060708 1011121314151617"},
	{"R-04", "empty-resumption-not-offered", Outcome::plain, nullptr, "01 a3"},
};

constexpr const char *MSS = "02 04 05b4 ";

/** The whole option area, for what cannot be said with one ENO option. */
constexpr OptionCase area_table[] = {
	{"E-01", "two-options", Outcome::plain, "45 03 23 45 03 23", "45 04 0123 45 04 0123"},
	{"E-01", "two-different-options", Outcome::plain, "45 03 23 45 03 25", "45 04 0123 45 04 0125"},
	{"E-01 E-08", "two-options-one-ill-formed", Outcome::plain, "45 03 23 45 03 80", "45 04 0123 45 03 80"},
	{"E-01 E-16", "two-options-one-empty", Outcome::plain, "45 03 23 45 02", "45 04 0123 45 02"},
	{"E-01", "two-options-apart", Outcome::plain, "45 03 23 02 04 05b4 45 03 23", "45 04 0123 02 04 05b4 45 04 0123"},
	{"E-01", "three-options", Outcome::plain, "45 03 23 45 03 23 45 03 23", "45 04 0123 45 04 0123 45 04 0123"},
	{"E-23", "experimental-option", Outcome::plain, "fd 05 454e 23", "fd 06 454e 0123"},
	{"E-23", "experimental-option-beside-ours", Outcome::encrypted, "fd 05 454e 70 45 03 23", "fd 06 454e 0170 45 04 0123"},
	{"E-13", "no-option", Outcome::plain, "", ""},
	{"E-13", "option-behind-end-of-list", Outcome::plain, "00 45 03 23", "00 45 04 0123"},
	{"E-08 E-13", "option-longer-than-the-header", Outcome::plain_or_dropped, "45 0a 23 25 26 27", "45 0a 01 23 25 26"},
	{"E-08 E-13", "option-length-zero", Outcome::plain, "45 00 23 25", "45 00 01 23"},
	{"E-08 E-13", "option-length-one", Outcome::plain, "45 01 23 25", "45 01 01 23"},
	{"E-08 E-13", "option-kind-only", Outcome::plain, "01 01 01 45", "01 01 01 45"},
	{"E-13", "broken-option-before", Outcome::plain_or_dropped, "ee 00 45 03 23", "ee 00 45 04 0123"},
	{"E-10", "first-in-the-header", Outcome::encrypted, "45 03 23 02 04 05b4", "45 04 0123 02 04 05b4"},
	{"E-10", "unaligned-behind-nop", Outcome::encrypted, "01 45 03 23 02 04 05b4", "01 45 04 0123 01 02 04 05b4"},
	{"E-10", "beside-all-usual-options", Outcome::encrypted, "04 02 08 0a 00000001 00000000 01 03 03 07 45 03 23", "04 02 08 0a 00000001 00000000 01 03 03 07 45 04 0123"},
	{"E-10", "between-the-usual-options", Outcome::encrypted, "04 02 45 03 23 08 0a 00000001 00000000 03 03 07", "04 02 45 04 0123 08 0a 00000001 00000000 03 03 07"},
	{"E-10", "unknown-option-beside", Outcome::encrypted, "ee 04 abcd 45 03 23 ef 02", "ee 04 abcd 45 04 0123 ef 02"},
	{"E-10 E-11", "forty-bytes-of-options", Outcome::encrypted,
	 "45 24 25262728292a2b2c2d2e2f3031323334353637383923404142434445464748494a4b",
	 "45 24 01262728292a2b2c2d2e2f3031323334353637383923404142434445464748494a4b"},
	{"E-17", "empty-fast-open-beside", Outcome::encrypted, "45 03 23 22 02", nullptr},
};

Bytes hex(std::string_view spaced)
{
	std::string digits;
	for (char c : spaced)
		if (c != ' ')
			digits.push_back(c);
	auto value = from_hex(digits);
	if (!value)
		throw std::logic_error("bad hexadecimal in a table of cases: " + digits);
	return *value;
}

/** Our SYN or SYN-ACK with this, and at once the same without ENO: one of them is the first that TCP takes. */
void expect_plain_or_dropped(Run &run, const Opening &opening)
{
	Dialogue dialogue(run);
	if (dialogue.is_passive()) {
		dialogue.send_syn(opening);
		dialogue.tcp.send_syn(mss_option(1460));
		dialogue.take_syn_ack();
		check(dialogue.device_option.empty(), "ENO in the SYN-ACK although encryption is off");
		dialogue.send_third();
		dialogue.accept();
	} else {
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.send_syn_ack(opening);
		dialogue.tcp.send_syn_ack(mss_option(1460));
		dialogue.take_third();
		dialogue.finish_connect();
	}
	dialogue.prove_plain();
}

void run_option_case(Run &run, const OptionCase &option_case, bool whole_area)
{
	const char *bytes = run.role == Role::passive ? option_case.in_syn : option_case.in_syn_ack;
	Opening opening;
	if (&option_case.tep != &curve25519)
		need(option_case.tep);
	if (!whole_area)
		opening.eno = hex(bytes);
	else if (View(hex(bytes)).size() <= 36 && hex(bytes) != hex("") && !contains(hex(bytes), hex(MSS)))
		opening.options = cat({hex(MSS), hex(bytes)});
	else
		opening.options = hex(bytes);
	if (option_case.outcome == Outcome::encrypted)
		expect_encrypted(run, opening, option_case.tep);
	else if (option_case.outcome == Outcome::plain)
		expect_plain(run, opening);
	else
		expect_plain_or_dropped(run, opening);
}

void add_table(Cases &cases, std::span<const OptionCase> table, bool whole_area)
{
	for (const OptionCase &entry : table) {
		Roles roles = !entry.in_syn ? Roles::active : !entry.in_syn_ack ? Roles::passive : Roles::both;
		cases.push_back({entry.ids, entry.name, roles,
				 [&entry, whole_area](Run &run) { run_option_case(run, entry, whole_area); }});
	}
}

// E-22, E-09: a middlebox that copies options back.
void echo_verbatim(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	dialogue.send_syn_ack({.options = cat({mss_option(1460), dialogue.device_option})});
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.prove_plain();
}

// What our side sends is honest: the checks are those of Dialogue on the device's SYN and SYN-ACK.
void device_option_is_sound(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	SynForm form = parse_syn_form(View(dialogue.device_option).subspan(2));
	check(form.count(tep_curve25519) == 1, "TEP 0x23 is not offered (N-06)");
	for (const TepOffer &offer : form.teps)
		check(find_tep(offer.tep) && !offer.v && form.count(offer.tep) == 1,
		      "an unknown or repeated TEP, or a resumption, is offered (E-10, N-01)");
	check((form.global & eno_global_a) == 0, "a=1 although no application asked for it (E-06)");
}

void option_in_syn_is_answered_v0(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.eno = hex("a3 000102030405060708 1011121314151617")});
	check(dialogue.encrypted(), "ENO failed");
	SynForm form = parse_syn_form(View(dialogue.device_option).subspan(2));
	check(!form.teps[0].v && form.teps[0].tep == tep_curve25519, "an unknown resumption offer is not answered v=0");
	dialogue.exchange();
	dialogue.prove_encrypted();
}

} // namespace

void add_option_cases(Cases &cases)
{
	add_table(cases, contents_table, false);
	add_table(cases, area_table, true);
	cases.push_back({"E-22 E-09", "option-echoed-back", Roles::active, echo_verbatim});
	cases.push_back({"E-24 E-03 E-04 E-05 E-11 E-17 N-01 N-06", "device-option-is-sound", Roles::both, device_option_is_sound});
	cases.push_back({"R-02 N-02", "resumption-offer-answered-v0", Roles::passive, option_in_syn_is_answered_v0});
}

} // namespace conformance
