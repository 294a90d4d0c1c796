// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: what user space may ask about connections and counters. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "net.h"

#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include "crypto/tep.h"
#include "names.h"
#include "session/conn_info.h"
#include "session/resume.h"
#include "version.h"
#include "wire/frame.h"

static struct genl_family tcpcrypt_netlink_family;

/* For requests without attributes: no policy at all would let any attribute pass. */
static const struct nla_policy tcpcrypt_netlink_none_policy[] = {
	[1] = { .type = NLA_REJECT, .reject_message = "this request takes no attributes" },
};

static const struct nla_policy tcpcrypt_netlink_conn_policy[] = {
	[TCPCRYPT_A_CONN_COOKIE]	= { .type = NLA_U64 },
	[TCPCRYPT_A_CONN_FAMILY]	= NLA_POLICY_RANGE(NLA_U16, AF_INET, AF_INET6),
	[TCPCRYPT_A_CONN_LADDR]		= NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct in_addr), sizeof(struct in6_addr)),
	[TCPCRYPT_A_CONN_RADDR]		= NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct in_addr), sizeof(struct in6_addr)),
	[TCPCRYPT_A_CONN_LADDR_PREFIX]	= NLA_POLICY_MAX(NLA_U8, 128),
	[TCPCRYPT_A_CONN_RADDR_PREFIX]	= NLA_POLICY_MAX(NLA_U8, 128),
	[TCPCRYPT_A_CONN_LPORT]		= { .type = NLA_U16 },
	[TCPCRYPT_A_CONN_RPORT]		= { .type = NLA_U16 },
	[TCPCRYPT_A_CONN_STATE]		= NLA_POLICY_RANGE(NLA_U8, TCPCRYPT_STATE_SYN_SENT, TCPCRYPT_STATE_ABORTED),
};

/* get */

static int tcpcrypt_netlink_alg_put(struct sk_buff *skb, int attr, u32 id, const char *name)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, TCPCRYPT_A_ALG_ID, id) || nla_put_string(skb, TCPCRYPT_A_ALG_NAME, name)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int tcpcrypt_netlink_algs_put(struct sk_buff *skb)
{
	const struct tcpcrypt_tep *const *tep;
	unsigned int i;
	int err;

	for (tep = tcpcrypt_teps; *tep; tep++) {
		err = tcpcrypt_netlink_alg_put(skb, TCPCRYPT_A_INFO_TEP, (*tep)->id, (*tep)->name);
		if (err)
			return err;
	}
	for (i = 0; i < tcpcrypt_n_aeads; i++) {
		if (!tcpcrypt_aead_find(tcpcrypt_aeads[i].id))	/* this kernel lacks it */
			continue;
		err = tcpcrypt_netlink_alg_put(skb, TCPCRYPT_A_INFO_AEAD, tcpcrypt_aeads[i].id,
					       tcpcrypt_aeads[i].name);
		if (err)
			return err;
	}
	return 0;
}

static int tcpcrypt_netlink_u64_put(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, TCPCRYPT_A_INFO_PAD);
}

static int tcpcrypt_netlink_totals_put(struct sk_buff *skb, const struct tcpcrypt_net *tn)
{
	u64 encrypted = tcpcrypt_stat_read(tn, TCPCRYPT_STAT_ENCRYPTED_CONNECT) +
			tcpcrypt_stat_read(tn, TCPCRYPT_STAT_ENCRYPTED_ACCEPT);
	u64 resumed = tcpcrypt_stat_read(tn, TCPCRYPT_STAT_RESUMED_CONNECT) +
		      tcpcrypt_stat_read(tn, TCPCRYPT_STAT_RESUMED_ACCEPT);
	u64 plain = 0, aborted = 0;
	int i;

	for (i = TCPCRYPT_REASON_NONE + 1; i <= TCPCRYPT_FALLBACK_LAST; i++)
		plain += tcpcrypt_reason_read(tn, i);
	for (i = TCPCRYPT_ABORT_FIRST; i <= TCPCRYPT_ABORT_LAST; i++)
		aborted += tcpcrypt_reason_read(tn, i);

	if (tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_HALFOPEN,
				     tcpcrypt_stat_read(tn, TCPCRYPT_STAT_HALFOPEN)) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_CURRENT,
				     tcpcrypt_stat_read(tn, TCPCRYPT_STAT_CURRENT)) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_ENCRYPTED, encrypted) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_PLAIN, plain) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_ABORTED, aborted) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_CURRENT_RESUMED,
				     tcpcrypt_stat_read(tn, TCPCRYPT_STAT_CURRENT_RESUMED)) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_RESUMED, resumed) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_CACHED,
				     tcpcrypt_stat_read(tn, TCPCRYPT_STAT_RESUME_CACHED)))
		return -EMSGSIZE;
	return 0;
}

static int tcpcrypt_netlink_info_put(struct sk_buff *skb, const struct tcpcrypt_net *tn)
{
	u64 features = IS_ENABLED(CONFIG_IPV6) ? TCPCRYPT_FEATURE_IPV6 : 0;

	if (nla_put_string(skb, TCPCRYPT_A_INFO_VERSION, TCPCRYPT_VERSION) ||
	    tcpcrypt_netlink_u64_put(skb, TCPCRYPT_A_INFO_FEATURES, features) ||
	    (READ_ONCE(tcpcrypt_draining) && nla_put_flag(skb, TCPCRYPT_A_INFO_DRAINING)) ||
	    tcpcrypt_netlink_algs_put(skb) ||
	    nla_put_u32(skb, TCPCRYPT_A_INFO_FRAME_DATA_LIMIT, TCPCRYPT_FRAME_DATA_MAX) ||
	    nla_put_u32(skb, TCPCRYPT_A_INFO_HALFOPEN_LIMIT, READ_ONCE(tn->max_halfopen)))
		return -EMSGSIZE;
	return tcpcrypt_netlink_totals_put(skb, tn);
}

static int tcpcrypt_netlink_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct tcpcrypt_net *tn = tcpcrypt_net(genl_info_net(info));
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &tcpcrypt_netlink_family, 0, TCPCRYPT_CMD_GET);
	if (!hdr || tcpcrypt_netlink_info_put(reply, tn)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* conn-get */

/**
 * struct tcpcrypt_netlink_filter - which connections a dump lists; zero means any
 * @family: AF_INET or AF_INET6
 * @lprefix: bits of @laddr that count
 * @rprefix: bits of @raddr that count
 * @laddr: as in struct tcpcrypt_conn_info
 * @raddr: the same
 * @has_lport: @lport counts
 * @has_rport: @rport counts
 * @lport: host order
 * @rport: host order
 * @state: enum tcpcrypt_state
 */
struct tcpcrypt_netlink_filter {
	u16 family;
	u8 lprefix;
	u8 rprefix;
	struct in6_addr laddr;
	struct in6_addr raddr;
	bool has_lport;
	bool has_rport;
	u16 lport;
	u16 rport;
	u8 state;
};

static int tcpcrypt_netlink_addr_parse(struct nlattr **attrs, int attr, int prefix_attr, u16 family,
				       struct in6_addr *addr, u8 *prefix, struct netlink_ext_ack *extack)
{
	int len = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	struct nlattr *bits = attrs[prefix_attr];

	if (!attrs[attr]) {
		if (!bits)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, bits, "a prefix length needs its address");
		return -EINVAL;
	}
	if (!family) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[attr], "an address needs the family attribute");
		return -EINVAL;
	}
	if (nla_len(attrs[attr]) != len) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[attr], "the address is not one of the given family");
		return -EINVAL;
	}
	*prefix = bits ? nla_get_u8(bits) : len * BITS_PER_BYTE;
	if (*prefix > len * BITS_PER_BYTE) {
		NL_SET_ERR_MSG_ATTR(extack, bits, "the prefix is longer than the address");
		return -EINVAL;
	}
	nla_memcpy(addr, attrs[attr], len);
	return 0;
}

static int tcpcrypt_netlink_filter_parse(struct nlattr **attrs, struct tcpcrypt_netlink_filter *filter,
					 struct netlink_ext_ack *extack)
{
	struct nlattr *family = attrs[TCPCRYPT_A_CONN_FAMILY];
	int err;

	if (attrs[TCPCRYPT_A_CONN_COOKIE]) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[TCPCRYPT_A_CONN_COOKIE],
				    "a cookie asks for one connection, not for a dump");
		return -EINVAL;
	}
	if (family) {
		filter->family = nla_get_u16(family);
		if (filter->family != AF_INET && filter->family != AF_INET6) {
			NL_SET_ERR_MSG_ATTR(extack, family, "the family is neither AF_INET nor AF_INET6");
			return -EAFNOSUPPORT;
		}
	}
	err = tcpcrypt_netlink_addr_parse(attrs, TCPCRYPT_A_CONN_LADDR, TCPCRYPT_A_CONN_LADDR_PREFIX,
					  filter->family, &filter->laddr, &filter->lprefix, extack);
	if (err)
		return err;
	err = tcpcrypt_netlink_addr_parse(attrs, TCPCRYPT_A_CONN_RADDR, TCPCRYPT_A_CONN_RADDR_PREFIX,
					  filter->family, &filter->raddr, &filter->rprefix, extack);
	if (err)
		return err;
	if (attrs[TCPCRYPT_A_CONN_LPORT]) {
		filter->has_lport = true;
		filter->lport = nla_get_u16(attrs[TCPCRYPT_A_CONN_LPORT]);
	}
	if (attrs[TCPCRYPT_A_CONN_RPORT]) {
		filter->has_rport = true;
		filter->rport = nla_get_u16(attrs[TCPCRYPT_A_CONN_RPORT]);
	}
	if (attrs[TCPCRYPT_A_CONN_STATE])
		filter->state = nla_get_u8(attrs[TCPCRYPT_A_CONN_STATE]);
	return 0;
}

static bool tcpcrypt_netlink_filter_match(const struct tcpcrypt_netlink_filter *filter,
					  const struct tcpcrypt_conn_info *info)
{
	u8 state = tcpcrypt_conn_uapi_state(info->state);

	return state &&
	       (!filter->state || filter->state == state) &&
	       (!filter->family || filter->family == info->family) &&
	       (!filter->has_lport || filter->lport == info->lport) &&
	       (!filter->has_rport || filter->rport == info->rport) &&
	       ipv6_prefix_equal(&filter->laddr, &info->laddr, filter->lprefix) &&
	       ipv6_prefix_equal(&filter->raddr, &info->raddr, filter->rprefix);
}

/**
 * struct tcpcrypt_netlink_asker - who a connection is shown to
 * @ns: user namespace in which UIDs are told
 * @admin: has CAP_NET_ADMIN where it counts
 */
struct tcpcrypt_netlink_asker {
	struct user_namespace *ns;
	bool admin;
};

/* @skb: the request */
static void tcpcrypt_netlink_asker_init(struct tcpcrypt_netlink_asker *asker, struct sk_buff *skb,
					const struct net *net)
{
	asker->ns = sk_user_ns(NETLINK_CB(skb).sk);
	asker->admin = netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN);
}

static int tcpcrypt_netlink_addrs_put(struct sk_buff *skb, const struct tcpcrypt_conn_info *info)
{
	int len = info->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	if (nla_put_u16(skb, TCPCRYPT_A_CONN_FAMILY, info->family) ||
	    nla_put(skb, TCPCRYPT_A_CONN_LADDR, len, &info->laddr) ||
	    nla_put(skb, TCPCRYPT_A_CONN_RADDR, len, &info->raddr) ||
	    nla_put_u16(skb, TCPCRYPT_A_CONN_LPORT, info->lport) ||
	    nla_put_u16(skb, TCPCRYPT_A_CONN_RPORT, info->rport))
		return -EMSGSIZE;
	return 0;
}

/* What there is once the keys are. */
static int tcpcrypt_netlink_session_put(struct sk_buff *skb, const struct tcpcrypt_conn_info *info, bool admin)
{
	if (nla_put_u32(skb, TCPCRYPT_A_CONN_TX_GENERATION, info->tx_gen) ||
	    nla_put_u32(skb, TCPCRYPT_A_CONN_RX_GENERATION, info->rx_gen) ||
	    nla_put_u64_64bit(skb, TCPCRYPT_A_CONN_TX_FRAMES, info->tx_frames, TCPCRYPT_A_CONN_PAD) ||
	    nla_put_u64_64bit(skb, TCPCRYPT_A_CONN_TX_BYTES, info->tx_bytes, TCPCRYPT_A_CONN_PAD) ||
	    nla_put_u64_64bit(skb, TCPCRYPT_A_CONN_RX_FRAMES, info->rx_frames, TCPCRYPT_A_CONN_PAD) ||
	    nla_put_u64_64bit(skb, TCPCRYPT_A_CONN_RX_BYTES, info->rx_bytes, TCPCRYPT_A_CONN_PAD) ||
	    nla_put_u32(skb, TCPCRYPT_A_CONN_HANDSHAKE_US, info->handshake_us) ||
	    (admin && nla_put(skb, TCPCRYPT_A_CONN_SESSID, sizeof(info->sessid), info->sessid)))
		return -EMSGSIZE;
	return 0;
}

static int tcpcrypt_netlink_conn_put(struct sk_buff *skb, const struct tcpcrypt_conn_info *info,
				     const struct tcpcrypt_netlink_asker *asker)
{
	bool eno_done = info->state != TCPCRYPT_SYN_SENT;

	if (nla_put_u64_64bit(skb, TCPCRYPT_A_CONN_COOKIE, info->cookie, TCPCRYPT_A_CONN_PAD) ||
	    tcpcrypt_netlink_addrs_put(skb, info) ||
	    nla_put_u8(skb, TCPCRYPT_A_CONN_STATE, tcpcrypt_conn_uapi_state(info->state)) ||
	    nla_put_u32(skb, TCPCRYPT_A_CONN_UID, from_kuid_munged(asker->ns, info->uid)) ||
	    (info->active && nla_put_flag(skb, TCPCRYPT_A_CONN_ACTIVE)) ||
	    (eno_done && nla_put_u8(skb, TCPCRYPT_A_CONN_ROLE, info->role)) ||
	    (info->tep && nla_put_u8(skb, TCPCRYPT_A_CONN_TEP, info->tep)) ||
	    (info->aead && nla_put_u16(skb, TCPCRYPT_A_CONN_AEAD, info->aead)) ||
	    (info->resumed && nla_put_flag(skb, TCPCRYPT_A_CONN_RESUMED)) ||
	    (info->closing && nla_put_flag(skb, TCPCRYPT_A_CONN_CLOSING)))
		return -EMSGSIZE;
	return info->has_sessid ? tcpcrypt_netlink_session_put(skb, info, asker->admin) : 0;
}

/* One message with one connection; on failure @skb is as before. */
static int tcpcrypt_netlink_conn_msg(struct sk_buff *skb, u32 portid, u32 seq, int flags,
				     const struct tcpcrypt_conn_info *info,
				     const struct tcpcrypt_netlink_asker *asker)
{
	void *hdr = genlmsg_put(skb, portid, seq, &tcpcrypt_netlink_family, flags, TCPCRYPT_CMD_CONN_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (tcpcrypt_netlink_conn_put(skb, info, asker)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int tcpcrypt_netlink_conn_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct tcpcrypt_netlink_asker asker;
	struct tcpcrypt_conn_info conn;
	struct sk_buff *reply;
	int i, err;

	if (!info->attrs[TCPCRYPT_A_CONN_COOKIE]) {
		NL_SET_ERR_MSG(info->extack, "a cookie is needed to ask for one connection");
		return -EINVAL;
	}
	for (i = TCPCRYPT_A_CONN_COOKIE + 1; i < ARRAY_SIZE(tcpcrypt_netlink_conn_policy); i++) {
		if (info->attrs[i]) {
			NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[i], "a filter goes with a dump only");
			return -EINVAL;
		}
	}
	if (tcpcrypt_conn_find(net, nla_get_u64(info->attrs[TCPCRYPT_A_CONN_COOKIE]), &conn) ||
	    !tcpcrypt_conn_uapi_state(conn.state)) {
		NL_SET_ERR_MSG(info->extack, "no connection of tcpcrypt has this cookie");
		return -ENOENT;
	}
	tcpcrypt_netlink_asker_init(&asker, skb, net);
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	err = reply ? tcpcrypt_netlink_conn_msg(reply, info->snd_portid, info->snd_seq, 0, &conn, &asker) : -ENOMEM;
	memzero_explicit(&conn, sizeof(conn));
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

/* struct tcpcrypt_netlink_dump - a dump in progress; kept in cb->ctx */
struct tcpcrypt_netlink_dump {
	u64 pos;	/* of tcpcrypt_conn_walk(), or in the numbers of counters */
	bool done;
};

/* struct tcpcrypt_netlink_batch - one round of a dump of connections */
struct tcpcrypt_netlink_batch {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct tcpcrypt_netlink_filter filter;
	struct tcpcrypt_netlink_asker asker;
};

static int tcpcrypt_netlink_batch_fn(const struct tcpcrypt_conn_info *info, void *arg)
{
	struct tcpcrypt_netlink_batch *batch = arg;

	if (!tcpcrypt_netlink_filter_match(&batch->filter, info))
		return 0;
	return tcpcrypt_netlink_conn_msg(batch->skb, NETLINK_CB(batch->cb->skb).portid, batch->cb->nlh->nlmsg_seq,
					 NLM_F_MULTI, info, &batch->asker);
}

/* Each round parses the request anew: that costs less than keeping the filter. */
static int tcpcrypt_netlink_conn_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attrs[ARRAY_SIZE(tcpcrypt_netlink_conn_policy)];
	struct tcpcrypt_netlink_batch batch = { .skb = skb, .cb = cb };
	struct tcpcrypt_netlink_dump *dump = (void *)cb->ctx;
	struct net *net = sock_net(skb->sk);
	int err;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	if (dump->done)
		return 0;
	err = genlmsg_parse(cb->nlh, &tcpcrypt_netlink_family, attrs, ARRAY_SIZE(attrs) - 1,
			    tcpcrypt_netlink_conn_policy, cb->extack);
	if (err)
		return err;
	err = tcpcrypt_netlink_filter_parse(attrs, &batch.filter, cb->extack);
	if (err)
		return err;
	tcpcrypt_netlink_asker_init(&batch.asker, cb->skb, net);
	err = tcpcrypt_conn_walk(net, &dump->pos, tcpcrypt_netlink_batch_fn, &batch);
	dump->done = !err;
	return skb->len ?: err;
}

/* stats-get */

/* Numbers of the dump: those of enum tcpcrypt_stat, then those of enum tcpcrypt_reason. */
#define TCPCRYPT_NETLINK_COUNTERS	(TCPCRYPT_STAT_COUNT + TCPCRYPT_REASON_COUNT)

static int tcpcrypt_netlink_counter_msg(struct sk_buff *skb, struct netlink_callback *cb, u8 kind, u32 id,
					const char *name, u64 value)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &tcpcrypt_netlink_family,
				NLM_F_MULTI, TCPCRYPT_CMD_STATS_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u8(skb, TCPCRYPT_A_COUNTER_KIND, kind) ||
	    nla_put_u32(skb, TCPCRYPT_A_COUNTER_ID, id) ||
	    nla_put_string(skb, TCPCRYPT_A_COUNTER_NAME, name) ||
	    nla_put_u64_64bit(skb, TCPCRYPT_A_COUNTER_VALUE, value, TCPCRYPT_A_COUNTER_PAD)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int tcpcrypt_netlink_counter(struct sk_buff *skb, struct netlink_callback *cb,
				    const struct tcpcrypt_net *tn, unsigned int number)
{
	const char *name;

	if (number < TCPCRYPT_STAT_COUNT)
		return tcpcrypt_netlink_counter_msg(skb, cb, TCPCRYPT_COUNTER_STAT, number,
						    tcpcrypt_stat_name(number), tcpcrypt_stat_read(tn, number));
	number -= TCPCRYPT_STAT_COUNT;
	name = tcpcrypt_reason_name(number);
	if (!name)
		return 0;
	return tcpcrypt_netlink_counter_msg(skb, cb, TCPCRYPT_COUNTER_REASON, number, name,
					    tcpcrypt_reason_read(tn, number));
}

static int tcpcrypt_netlink_stats_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(skb->sk));
	struct tcpcrypt_netlink_dump *dump = (void *)cb->ctx;
	int err = 0;

	for (; dump->pos < TCPCRYPT_NETLINK_COUNTERS; dump->pos++) {
		err = tcpcrypt_netlink_counter(skb, cb, tn, dump->pos);
		if (err)
			break;
	}
	return skb->len ?: err;
}

/* cache-flush */

static int tcpcrypt_netlink_cache_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);

	if (!netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack, "only CAP_NET_ADMIN in the network namespace may wipe its secrets");
		return -EPERM;
	}
	tcpcrypt_resume_flush(tcpcrypt_net(net));
	return 0;
}

static const struct genl_ops tcpcrypt_netlink_ops[] = {
	{
		.cmd		= TCPCRYPT_CMD_GET,
		.doit		= tcpcrypt_netlink_get_doit,
		.policy		= tcpcrypt_netlink_none_policy,
		.maxattr	= ARRAY_SIZE(tcpcrypt_netlink_none_policy) - 1,
	},
	{
		.cmd		= TCPCRYPT_CMD_CONN_GET,
		.doit		= tcpcrypt_netlink_conn_doit,
		.dumpit		= tcpcrypt_netlink_conn_dumpit,
		.policy		= tcpcrypt_netlink_conn_policy,
		.maxattr	= ARRAY_SIZE(tcpcrypt_netlink_conn_policy) - 1,
	},
	{
		.cmd		= TCPCRYPT_CMD_STATS_GET,
		.dumpit		= tcpcrypt_netlink_stats_dumpit,
		.policy		= tcpcrypt_netlink_none_policy,
		.maxattr	= ARRAY_SIZE(tcpcrypt_netlink_none_policy) - 1,
	},
	{
		.cmd		= TCPCRYPT_CMD_CACHE_FLUSH,
		.doit		= tcpcrypt_netlink_cache_flush_doit,
		.policy		= tcpcrypt_netlink_none_policy,
		.maxattr	= ARRAY_SIZE(tcpcrypt_netlink_none_policy) - 1,
	},
};

static struct genl_family tcpcrypt_netlink_family __ro_after_init = {
	.name		= TCPCRYPT_GENL_NAME,
	.version	= TCPCRYPT_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= tcpcrypt_netlink_ops,
	.n_ops		= ARRAY_SIZE(tcpcrypt_netlink_ops),
};

int tcpcrypt_netlink_init(void)
{
	return genl_register_family(&tcpcrypt_netlink_family);
}

void tcpcrypt_netlink_exit(void)
{
	genl_unregister_family(&tcpcrypt_netlink_family);
}
