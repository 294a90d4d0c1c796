// SPDX-License-Identifier: GPL-2.0
// The table of cases: each names the requirements that it shows.
#include "cases.hh"

#include <algorithm>

namespace conformance {

Cases all_cases()
{
	Cases cases;
	add_option_cases(cases);
	add_fuzz_cases(cases);
	add_fallback_cases(cases);
	add_syn_cases(cases);
	add_syndata_cases(cases);
	add_socket_cases(cases);
	add_require_cases(cases);
	add_simultaneous_cases(cases);
	add_third_cases(cases);
	add_interrupt_cases(cases);
	add_init_cases(cases);
	add_key_cases(cases);
	add_tep_cases(cases);
	add_point_cases(cases);
	add_frame_cases(cases);
	add_tamper_cases(cases);
	add_close_cases(cases);
	add_rekey_cases(cases);
	add_segment_cases(cases);
	add_alive_cases(cases);
	add_urgent_cases(cases);
	add_resume_cases(cases);
	return cases;
}

void need(const Tep &tep)
{
	auto teps = device_teps();
	if (std::find(teps.begin(), teps.end(), &tep) == teps.end())
		throw Skip(std::string("net.tcpcrypt.teps is without ") + tep.name);
}

void expect_encrypted(Run &run, const Opening &opening, const Tep &tep)
{
	Dialogue dialogue(run);
	dialogue.open(opening);
	dialogue.exchange();
	check(&dialogue.keys.tep() == &tep, std::string("the TEP is ") + dialogue.keys.tep().name + " and not " + tep.name);
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

void bulk(Dialogue &dialogue, std::size_t size)
{
	std::string count = std::to_string(size);
	std::string reader = dialogue.app_start("drain", "1 0 " + count);
	std::string writer = dialogue.app_start("fill", "2 0 " + count + " 30000");
	static constexpr std::size_t sizes[] = {1, 16384, 100, 1400, frame_data_max, 17, 4096};
	Bytes data = pattern(1, 0, size);
	std::size_t round = 0;
	for (std::size_t at = 0; at < size; round++) {
		std::size_t length = std::min(sizes[round % std::size(sizes)], size - at);
		dialogue.channel().enqueue({.data = slice(data, at, length)});
		at += length;
	}
	dialogue.tcp.flush();
	check(equal(dialogue.channel().read(size), pattern(2, 0, size)), "the device's bulk data is not what was written");
	Answer written = dialogue.run.device.finish(writer);
	check(written.ok, "the writer failed with " + written.value);
	Answer answer = dialogue.run.device.finish(reader);
	check(answer.ok && answer.value == count, "the reader got " + answer.shown());
}

void store_length(Bytes &message, std::size_t length)
{
	Bytes field;
	put32(field, static_cast<std::uint32_t>(length));
	std::copy(field.begin(), field.end(), message.begin() + 4);
}

} // namespace conformance
