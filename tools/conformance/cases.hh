/* SPDX-License-Identifier: GPL-2.0 */
/* The table of cases: each names the requirements that it shows. */
#ifndef CONFORMANCE_CASES_HH
#define CONFORMANCE_CASES_HH

#include "dialogue.hh"

namespace conformance {

enum class Roles { active, passive, both };

struct Case {
	/** Requirement IDs, separated by blanks; the first one begins the case's name. */
	std::string ids;
	std::string name;
	Roles roles;
	std::function<void(Run &)> body;
	/** Only over IPv4: what it shows does not depend on the family, and it takes long. */
	bool v4_only = false;
	/** Takes seconds. */
	bool slow = false;
};

using Cases = std::vector<Case>;

void add_option_cases(Cases &cases);
void add_fuzz_cases(Cases &cases);
void add_fallback_cases(Cases &cases);
void add_syn_cases(Cases &cases);
void add_syndata_cases(Cases &cases);
void add_socket_cases(Cases &cases);
void add_require_cases(Cases &cases);
void add_simultaneous_cases(Cases &cases);
void add_third_cases(Cases &cases);
void add_interrupt_cases(Cases &cases);
void add_init_cases(Cases &cases);
void add_key_cases(Cases &cases);
void add_tep_cases(Cases &cases);
void add_point_cases(Cases &cases);
void add_frame_cases(Cases &cases);
void add_tamper_cases(Cases &cases);
void add_close_cases(Cases &cases);
void add_rekey_cases(Cases &cases);
void add_segment_cases(Cases &cases);
void add_alive_cases(Cases &cases);
void add_urgent_cases(Cases &cases);
void add_resume_cases(Cases &cases);

Cases all_cases();

/** Options of level SOL_TCP_ENO, and what they are set to. */
enum EnoOption { eno_enabled = 1, eno_teps = 4, eno_self_gopt = 5, eno_peer_gopt = 6, eno_self_aware = 7, eno_peer_aware = 8,
		 eno_role_override = 9, eno_mandatory = 11, eno_raw = 15, crypt_aeads = 32, crypt_resume = 34 };
using Settings = std::vector<std::pair<EnoOption, Bytes>>;
Bytes number_value(int value);

/** A dialogue with a device whose socket, or listener, opted in and has these settings. */
void with_settings(Run &run, const Settings &settings, const std::function<void(Dialogue &)> &body);

/** Skips the case where the administrator does not let the device use this TEP. */
void need(const Tep &tep);
/** Opens with this, and shows that the connection is encrypted with @tep. */
void expect_encrypted(Run &run, const Opening &opening, const Tep &tep = curve25519);
/** Opens with this, and shows that the device disabled encryption in its answer, and that plain TCP works. */
void expect_plain(Run &run, const Opening &opening);
/** Data in both directions at once, in frames of different sizes. */
void bulk(Dialogue &dialogue, std::size_t size);
/** Bytes 4..7 of an Init message. */
void store_length(Bytes &message, std::size_t length);

} // namespace conformance

#endif
