/* SPDX-License-Identifier: GPL-2.0 */
/* The SYN-form of the TCP-ENO option (RFC 8547 section 4) and what two of them agree on. */
#ifndef CONFORMANCE_ENO_HH
#define CONFORMANCE_ENO_HH

#include "bytes.hh"

namespace conformance {

inline constexpr std::uint8_t tep_curve25519 = 0x23;
inline constexpr std::uint8_t eno_global_b = 0x01;
inline constexpr std::uint8_t eno_global_a = 0x02;
inline constexpr std::uint8_t eno_global_z = 0x1c;

/** A TEP suboption: identifier without the v bit, the v bit, data. */
struct TepOffer {
	std::uint8_t tep = 0;
	bool v = false;
	Bytes data;
};

struct SynForm {
	bool well_formed = true;
	/** How many global suboptions; the first one's value, 0 when there is none (E-03). */
	unsigned globals = 0;
	std::uint8_t global = 0;
	std::vector<TepOffer> teps;

	/** How often the TEP is there. */
	unsigned count(std::uint8_t tep) const;
	const TepOffer *find(std::uint8_t tep) const;
};

/** @contents: the option without kind and length. */
SynForm parse_syn_form(View contents);

/** Of the whole option area of a SYN: without a value when there is no ENO option, or more than one (E-01). */
std::optional<SynForm> syn_form_of(View area);

/** The whole ENO option with these contents. */
Bytes eno_option(View contents);
/** The non-SYN form as we send it (E-02). */
Bytes eno_ack();

} // namespace conformance

#endif
