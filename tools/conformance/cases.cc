// SPDX-License-Identifier: GPL-2.0
// The table of cases: each names the requirements that it shows.
#include "cases.hh"

namespace conformance {

Cases all_cases()
{
	Cases cases;
	add_option_cases(cases);
	add_fuzz_cases(cases);
	add_fallback_cases(cases);
	add_syn_cases(cases);
	add_third_cases(cases);
	add_interrupt_cases(cases);
	add_init_cases(cases);
	add_key_cases(cases);
	add_frame_cases(cases);
	add_tamper_cases(cases);
	add_close_cases(cases);
	add_rekey_cases(cases);
	add_segment_cases(cases);
	add_urgent_cases(cases);
	return cases;
}

void expect_encrypted(Run &run, const Opening &opening)
{
	Dialogue dialogue(run);
	dialogue.open(opening);
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void expect_plain(Run &run, const Opening &opening)
{
	Dialogue dialogue(run);
	dialogue.open(opening);
	if (dialogue.is_passive())
		check(dialogue.device_option.empty(), "ENO in the SYN-ACK although encryption is off: " +
							      to_hex(dialogue.device_option));
	else
		check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	dialogue.prove_plain();
}

} // namespace conformance
