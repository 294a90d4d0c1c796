// SPDX-License-Identifier: GPL-2.0
/* Segments: options put in, options found, the ends of the connection. */
#include "option/option.h"
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#define SEGMENT_TCPOPT_AO	29	/* older kernels have no name for it */

/* The checksum is over the last address of a routing header, not over that in the IPv6 header. */
static bool segment_is_routed(const struct sk_buff *skb)
{
	unsigned int off = 0;

	return ipv6_hdr(skb)->nexthdr != IPPROTO_TCP &&
	       ipv6_find_hdr(skb, &off, NEXTHDR_ROUTING, NULL, NULL) == NEXTHDR_ROUTING;
}

/*
 * The options without the NOPs between them, which are there for alignment alone. Nothing follows an EOL. A
 * malformed rest is kept as it is. @to may be NULL. Return: their length
 */
static unsigned int segment_pack(const struct tcphdr *th, u8 *to)
{
	const u8 *p = (const u8 *)(th + 1), *end = (const u8 *)th + th->doff * 4;
	unsigned int len = 0, size;

	while (p < end && *p != TCPOPT_EOL) {
		if (*p == TCPOPT_NOP) {
			p++;
			continue;
		}
		size = end - p;
		if (size >= 2 && p[1] >= 2 && p[1] < size)
			size = p[1];
		if (to)
			memcpy(to + len, p, size);
		len += size;
		p += size;
	}
	return len;
}

unsigned int tcpcrypt_segment_syn_room(const struct tcphdr *th)
{
	return ENO_TCP_OPTIONS_MAX - segment_pack(th, NULL);
}

/*
 *   network header | [extension headers] | TCP header, options | HERE | payload
 *
 * Headers move towards the head; the payload stays. GSO copies the header into each of its segments. In a SYN
 * the NOPs between the other options give way when room is short: with 19 bytes of Linux's own, an answer to
 * a resumption fits to the byte.
 */
int tcpcrypt_segment_insert(struct sk_buff *skb, const u8 *opt, unsigned int len)
{
	unsigned int thoff = skb_transport_offset(skb);
	struct tcphdr *th = tcp_hdr(skb);
	unsigned int hdrs = thoff + th->doff * 4;
	unsigned int old = th->doff * 4 - sizeof(*th), kept = old, total, room;
	bool v4 = ip_hdr(skb)->version == 4, pack = false;
	u8 packed[ENO_TCP_OPTIONS_MAX], *opts;

	if (hdrs > skb_headlen(skb))
		return -ENOSPC;
	if (th->syn && old + len > ENO_TCP_OPTIONS_MAX) {
		pack = true;
		kept = segment_pack(th, packed);
	}
	total = max_t(unsigned int, ALIGN(kept + len, 4), old);
	room = total - old;
	if (kept + len > ENO_TCP_OPTIONS_MAX || skb->len + room > U16_MAX)
		return -ENOSPC;
	if (!v4 && (!ipv6_hdr(skb)->payload_len || segment_is_routed(skb)))	/* a jumbogram, or: */
		return -ENOSPC;
	if (skb_cow_head(skb, room))
		return -ENOMEM;

	skb_push(skb, room);
	memmove(skb->data, skb->data + room, hdrs);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, thoff);
	th = tcp_hdr(skb);
	opts = (u8 *)(th + 1);
	if (pack)
		memcpy(opts, packed, kept);
	memcpy(opts + kept, opt, len);
	memset(opts + kept + len, TCPOPT_NOP, total - kept - len);
	th->doff += room / 4;

	if (v4) {
		struct iphdr *iph = ip_hdr(skb);

		iph->tot_len = htons(skb->len);
		ip_send_check(iph);
	} else {
		be16_add_cpu(&ipv6_hdr(skb)->payload_len, room);
	}

	th->check = 0;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = offsetof(struct tcphdr, check);
	} else {
		skb->csum = skb_checksum(skb, thoff, skb->len - thoff, 0);
		skb->ip_summed = CHECKSUM_NONE;
	}
	if (v4) {
		__sum16 sum = csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, skb->len - thoff,
						IPPROTO_TCP, skb->ip_summed == CHECKSUM_PARTIAL ? 0 : skb->csum);

		th->check = skb->ip_summed == CHECKSUM_PARTIAL ? ~sum : sum;
	} else {
		__sum16 sum = csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, skb->len - thoff,
					      IPPROTO_TCP, skb->ip_summed == CHECKSUM_PARTIAL ? 0 : skb->csum);

		th->check = skb->ip_summed == CHECKSUM_PARTIAL ? ~sum : sum;
	}
	return 0;
}

/* By the kind alone, and of the experimental ones by the magic behind it. */
static unsigned int segment_kind(const u8 *opt, unsigned int left)
{
	switch (opt[0]) {
	case ENO_KIND:
		return TCPCRYPT_KIND_ENO;
	case TCPOPT_MD5SIG:
	case SEGMENT_TCPOPT_AO:
	case TCPOPT_MPTCP:
		return TCPCRYPT_KIND_OTHER;
	case TCPOPT_FASTOPEN:
		return TCPCRYPT_KIND_FASTOPEN;
	case TCPOPT_EXP:
		return left >= TCPOLEN_EXP_FASTOPEN_BASE && get_unaligned_be16(opt + 2) == TCPOPT_FASTOPEN_MAGIC ?
		       TCPCRYPT_KIND_FASTOPEN_EXP : 0;
	default:
		return 0;
	}
}

unsigned int tcpcrypt_segment_kinds(const struct tcphdr *th)
{
	const u8 *p = (const u8 *)(th + 1), *end = (const u8 *)th + th->doff * 4;
	unsigned int kinds = 0;

	while (p < end && *p != TCPOPT_EOL) {
		if (*p == TCPOPT_NOP) {
			p++;
			continue;
		}
		kinds |= segment_kind(p, end - p);
		if (end - p < 2 || p[1] < 2)
			break;
		p += p[1];
	}
	return kinds;
}

void tcpcrypt_segment_tuple(const struct sk_buff *skb, u8 family, const struct tcphdr *th, bool out,
			    struct tcpcrypt_tuple *tuple)
{
	union nf_inet_addr *src = out ? &tuple->local : &tuple->remote;
	union nf_inet_addr *dst = out ? &tuple->remote : &tuple->local;

	memset(tuple, 0, sizeof(*tuple));
	tuple->family = family;
	if (family == NFPROTO_IPV4) {
		src->ip = ip_hdr(skb)->saddr;
		dst->ip = ip_hdr(skb)->daddr;
	} else {
		src->in6 = ipv6_hdr(skb)->saddr;
		dst->in6 = ipv6_hdr(skb)->daddr;
	}
	tuple->lport = out ? th->source : th->dest;
	tuple->rport = out ? th->dest : th->source;
}

void tcpcrypt_option_resume(struct tcpcrypt_conn *conn, const struct eno_resume *resume)
{
	conn->resume_tep = resume->tep;
	memcpy(conn->resume_half, resume->peer, sizeof(conn->resume_half));
}

enum eno_verdict tcpcrypt_option_negotiate(const struct tcpcrypt_conn *conn, const struct eno_syn *peer,
					   struct eno_result *res)
{
	const struct eno_tep *own = conn->resume_tep ? eno_resume_find(&conn->syn, conn->resume_tep) : NULL;
	struct eno_resume resume = { .tep = conn->resume_tep };
	enum eno_verdict verdict;

	if (own) {
		memcpy(resume.own, conn->syn.raw + own->off, sizeof(resume.own));
		memcpy(resume.peer, conn->resume_half, sizeof(resume.peer));
	}
	verdict = eno_negotiate_resume(&conn->syn, peer, tcpcrypt_settings_must_be_aware(conn->settings),
				       own ? &resume : NULL, res);
	if (verdict == ENO_OK && !tcpcrypt_settings_raw_agrees(conn->settings, conn->tn, res->tep))
		return ENO_NO_COMMON_TEP;
	return verdict;
}

enum tcpcrypt_reason tcpcrypt_eno_reason(enum eno_verdict verdict, enum tcpcrypt_reason absent)
{
	switch (verdict) {
	case ENO_REPEATED:
		return TCPCRYPT_FALLBACK_REPEATED;
	case ENO_MALFORMED:
		return TCPCRYPT_FALLBACK_MALFORMED;
	case ENO_VACUOUS:
		return TCPCRYPT_FALLBACK_VACUOUS;
	case ENO_NO_COMMON_TEP:
		return TCPCRYPT_FALLBACK_NO_COMMON_TEP;
	case ENO_SAME_ROLE:
		return TCPCRYPT_FALLBACK_SAME_ROLE;
	case ENO_NOT_AWARE:
		return TCPCRYPT_FALLBACK_NOT_AWARE;
	default:
		return absent;
	}
}
