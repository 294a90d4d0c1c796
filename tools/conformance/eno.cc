// SPDX-License-Identifier: GPL-2.0
// The SYN-form of the TCP-ENO option (RFC 8547 section 4) and what two of them agree on.
#include "eno.hh"

#include "packet.hh"

#include <algorithm>

namespace conformance {

unsigned SynForm::count(std::uint8_t tep) const
{
	return static_cast<unsigned>(
		std::count_if(teps.begin(), teps.end(), [tep](const TepOffer &o) { return o.tep == tep; }));
}

const TepOffer *SynForm::find(std::uint8_t tep) const
{
	auto at = std::find_if(teps.begin(), teps.end(), [tep](const TepOffer &o) { return o.tep == tep; });
	return at == teps.end() ? nullptr : &*at;
}

/*
 * bit 7 = v, bits 6..0 = glt
 *
 *   v=0 glt 00-1f  global suboption             v=1 glt 00-1f  length byte, n + 1
 *   v=0 glt 20-7f  TEP                          v=1 glt 20-7f  TEP with data
 */
SynForm parse_syn_form(View contents)
{
	SynForm form;
	std::size_t at = 0;
	while (at < contents.size()) {
		std::uint8_t byte = contents[at++];
		if (byte < 0x20) {
			if (form.globals++ == 0)
				form.global = byte;
			continue;
		}
		if (byte < 0x80) {
			form.teps.push_back({byte, false, {}});
			continue;
		}
		std::size_t length = contents.size() - at;
		if (byte < 0xa0) {
			// E-08: only a TEP identifier with v=1 may follow a length byte.
			length = (byte & 0x1fU) + 1U;
			if (at >= contents.size() || contents[at] < 0xa0) {
				form.well_formed = false;
				break;
			}
			byte = contents[at++];
			if (length > contents.size() - at) {
				form.well_formed = false;
				break;
			}
		}
		form.teps.push_back({static_cast<std::uint8_t>(byte & 0x7f), true, slice(contents, at, length)});
		at += length;
	}
	return form;
}

std::optional<SynForm> syn_form_of(View area)
{
	if (count_options(area, OPT_ENO) != 1)
		return std::nullopt;
	return parse_syn_form(View(find_option(area, OPT_ENO)).subspan(2));
}

Bytes eno_option(View contents)
{
	return option(OPT_ENO, contents);
}

Bytes eno_ack()
{
	return option(OPT_ENO, {});
}

} // namespace conformance
