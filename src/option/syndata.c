// SPDX-License-Identifier: GPL-2.0
/* Data and Fast Open in a SYN that has ENO: discarded, and not acknowledged (RFC 8547 section 4.7). */
#include "option/option.h"
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/tcp.h>

/* Kind 34, or the experimental one with Fast Open's magic, as tcp_parse_options() has it. */
static bool syndata_is_fastopen(const u8 *opt, unsigned int len)
{
	return opt[0] == TCPOPT_FASTOPEN ||
	       (opt[0] == TCPOPT_EXP && len >= TCPOLEN_EXP_FASTOPEN_BASE &&
		get_unaligned_be16(opt + 2) == TCPOPT_FASTOPEN_MAGIC);
}

/* The first Fast Open option from @from on; its length in *@len. Return: its place, or @end. */
static unsigned int syndata_find(const u8 *opts, unsigned int from, unsigned int end, unsigned int *len)
{
	unsigned int i = from;

	while (i < end && opts[i] != TCPOPT_EOL) {
		if (opts[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (end - i < 2 || opts[i + 1] < 2 || opts[i + 1] > end - i)
			return end;
		*len = opts[i + 1];
		if (syndata_is_fastopen(opts + i, *len))
			return i;
		i += *len;
	}
	return end;
}

bool tcpcrypt_segment_checksum_ok(struct sk_buff *skb, u8 pf, unsigned int thoff)
{
	if (pf == NFPROTO_IPV4)
		return !nf_ip_checksum(skb, NF_INET_LOCAL_IN, thoff, IPPROTO_TCP);
	return !nf_ip6_checksum(skb, NF_INET_LOCAL_IN, thoff, IPPROTO_TCP);
}

/*
 * The checksum is verified over what came, and then marked as verified: it does not fit what is left. TCP takes
 * the segment's length from the skb, so that nothing in the IP header is to be changed. An option is blanked with
 * NOPs: a listener with Fast Open would make a child at once, for data or for a cookie.
 */
int tcpcrypt_syndata_discard(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th)
{
	unsigned int hlen = th->doff * 4, end = hlen - sizeof(*th), at, len;
	u8 *opts;

	/* TCP will drop it. */
	if (!tcpcrypt_segment_checksum_ok(skb, pf, thoff))
		return 0;
	if (skb_ensure_writable(skb, thoff + hlen))
		return -ENOMEM;
	opts = skb->data + thoff + sizeof(*th);
	for (at = syndata_find(opts, 0, end, &len); at != end; at = syndata_find(opts, at, end, &len))
		memset(opts + at, TCPOPT_NOP, len);
	if (skb->len > thoff + hlen && pskb_trim(skb, thoff + hlen))
		return -ENOMEM;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return 0;
}
