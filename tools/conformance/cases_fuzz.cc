// SPDX-License-Identifier: GPL-2.0
// Cases with random ENO options: the device's answer must be what an independent reading of RFC 8547 says.
#include "cases.hh"

#include <random>

namespace conformance {

namespace {

constexpr unsigned rounds = 200;
/** The same options in every run. */
constexpr unsigned fixed_seed = 8547;

/** Bytes that make well-formed and ill-formed options about equally often, with TEPs of tcpcrypt in most of them. */
Bytes random_contents(std::mt19937 &random, std::size_t max, bool as_b)
{
	static constexpr std::uint8_t likely[] = {0x00, 0x02, 0x21, 0x22, 0x23, 0x23, 0x24, 0x25, 0x70, 0x7f, 0x80,
						  0x81, 0x9f, 0xa5, 0xf0, 0xff, 0xa1, 0xa3, 0xa4};
	Bytes contents;
	if (as_b && random() % 4)
		contents.push_back(0x01);
	std::size_t length = random() % max;
	while (contents.size() < length)
		contents.push_back(likely[random() % std::size(likely)]);
	if (random() % 2)
		contents.insert(contents.begin() + static_cast<std::ptrdiff_t>(random() % (contents.size() + 1)),
				all_teps[random() % 4 ? 0 : random() % std::size(all_teps)].id);
	return contents;
}

/** E-10, E-11: what B, with these TEPs, best first, makes of A's option; null for plain TCP. */
const Tep *answer_to(View contents, const std::vector<const Tep *> &teps)
{
	SynForm form = parse_syn_form(contents);
	if (!form.well_formed || (form.global & 1))
		return nullptr;
	for (const Tep *tep : teps)
		if (form.count(tep->id) == 1 && form.find(tep->id)->data.size() <= 17)
			return tep;
	return nullptr;
}

void random_options(Run &run)
{
	auto teps = device_teps();
	std::mt19937 random(fixed_seed);
	unsigned encrypted = 0;
	for (unsigned round = 0; round < rounds; round++) {
		Bytes contents = random_contents(random, 24, run.role == Role::active);
		Dialogue dialogue(run);
		try {
			dialogue.open({.eno = contents});
			// What Dialogue concludes from both options must be what the device did.
			bool expected = dialogue.encrypted();
			if (dialogue.is_passive()) {
				const Tep *tep = answer_to(contents, teps);
				expected = tep != nullptr;
				check(expected == !dialogue.device_option.empty(),
				      expected ? "no ENO in the SYN-ACK" : "ENO in the SYN-ACK");
				check(!tep || dialogue.device_option.back() == tep->id,
				      "another TEP in the SYN-ACK than the preferred one");
			}
			encrypted += expected;
			if (expected) {
				dialogue.exchange();
				dialogue.prove_encrypted();
			} else {
				dialogue.prove_plain();
			}
		} catch (const Failure &failure) {
			throw Failure("contents " + to_hex(contents) + ": " + failure.what());
		}
		dialogue.app("linger", "0");
		dialogue.app("close");
	}
	check(encrypted > rounds / 20 && encrypted < rounds * 19 / 20, "the random options are all of one kind");
}

} // namespace

void add_fuzz_cases(Cases &cases)
{
	cases.push_back({"E-08 E-03 E-09 E-10 E-13", "random-options", Roles::both, random_options, true, true});
}

} // namespace conformance
