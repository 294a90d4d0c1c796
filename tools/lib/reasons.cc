// SPDX-License-Identifier: GPL-2.0
// What each reason for a fallback or an abort means, and what to do about it.
#include "reasons.hh"

#include <array>

#include "control/names.h"

namespace tcpcrypt {

namespace {

constexpr auto both_ends = "Nothing, if the other host does not run tcpcrypt. If it does, a device on the path removes "
			   "TCP option 69: capture the connection at both ends and compare.";
constexpr auto attack_or_damage = "Something on the path altered the connection, on purpose or by mistake, or one end has a "
				  "defect. If it repeats, capture the connection at both ends and compare.";

constexpr std::array table{
	Explanation{TCPCRYPT_FALLBACK_NO_ENO_IN_SYN, nullptr,
		"The peer's SYN had no ENO option: the peer does not offer encryption, or a device on the path took the "
		"option away.", both_ends},
	Explanation{TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK, nullptr,
		"Our SYN offered ENO, and the SYN-ACK came without it: the peer does not know ENO or does not want it, or a "
		"device on the path took the option away.", both_ends},
	Explanation{TCPCRYPT_FALLBACK_NO_ENO_IN_ACK, nullptr,
		"ENO was in both SYNs, but the segment that completed the handshake came without it: a device on the path "
		"passes unknown options in SYNs only, or the peer changed its mind.",
		"Capture the connection at both ends to find the device."},
	Explanation{TCPCRYPT_FALLBACK_MALFORMED, nullptr,
		"The peer's ENO option does not follow RFC 8547.",
		"The peer's implementation is defective, or a device on the path damaged the option."},
	Explanation{TCPCRYPT_FALLBACK_REPEATED, nullptr,
		"The peer's SYN had more than one ENO option; RFC 8547 says to ignore them all.",
		"The peer's implementation is defective."},
	Explanation{TCPCRYPT_FALLBACK_VACUOUS, nullptr,
		"The peer's ENO option named no encryption protocol, which is how a peer says that it wants plain TCP.",
		"Look at the peer's configuration if you did not expect that."},
	Explanation{TCPCRYPT_FALLBACK_NO_COMMON_TEP, nullptr,
		"The two ends have no key agreement (TEP) in common.",
		"Compare the sysctl net.tcpcrypt.teps of both hosts."},
	Explanation{TCPCRYPT_FALLBACK_SAME_ROLE, nullptr,
		"Both ends claimed the same role, so neither could be A or B. This is also what an option looks like that a "
		"device on the path echoes back.",
		"If it is always the same peer, look for such a device on the path."},
	Explanation{TCPCRYPT_FALLBACK_NOT_AWARE, nullptr,
		"The program asked for a peer whose application knows of the encryption, and the peer's does not.",
		"Run a program that sets the application-aware bit on the peer, or do not ask for it."},
	Explanation{TCPCRYPT_FALLBACK_SYN_RETRIED, nullptr,
		"The SYN with ENO stayed without an answer, and was sent again without it, in case a device on the path drops "
		"SYNs with unknown options.",
		"If it is always the same peer, and only with ENO, look for such a device; the sysctl "
		"net.tcpcrypt.syn_retries says how often ENO is tried."},
	Explanation{TCPCRYPT_FALLBACK_SYN_CHANGED, nullptr,
		"The peer sent its SYN again, without ENO or with another option than before.",
		"Usually the peer gave up on ENO because an answer of ours was lost."},
	Explanation{TCPCRYPT_FALLBACK_SIMULTANEOUS, nullptr,
		"Both ends connected to each other at the same time.",
		"Have one end listen."},
	Explanation{TCPCRYPT_FALLBACK_DISABLED, nullptr,
		"Encryption is switched off in this network namespace.",
		"Set net.tcpcrypt.enable_connect or net.tcpcrypt.enable_listen to 1."},
	Explanation{TCPCRYPT_FALLBACK_BAD_PORT, nullptr,
		"The port is in net.tcpcrypt.bad_connect_ports or net.tcpcrypt.bad_listen_ports, by default the ports of "
		"protocols that are encrypted already.",
		"Take the port out of the list if its protocol is not encrypted on this host."},
	Explanation{TCPCRYPT_FALLBACK_LOOPBACK, nullptr,
		"The host connected to itself, where encryption gains nothing.",
		"Set net.tcpcrypt.loopback to 1 to encrypt such connections as well."},
	Explanation{TCPCRYPT_FALLBACK_NO_ROOM, nullptr,
		"The TCP header had no room left for the ENO option beside the other options.",
		"Another feature fills the 40 bytes of options; see which options the SYN has."},
	Explanation{TCPCRYPT_FALLBACK_OTHER_OPTION, nullptr,
		"The connection uses TCP-MD5, TCP-AO, Multipath TCP, SMC or Fast Open, which do not go with tcpcrypt.",
		"Switch that feature off for the program if you want tcpcrypt instead."},
	Explanation{TCPCRYPT_FALLBACK_BUSY_SOCKET, nullptr,
		"The socket could not be taken over: another protocol (kTLS, a sockmap) has it, it is in repair mode, or a "
		"thread was inside it at that moment.",
		"Nothing; the connection is as it would be without tcpcrypt."},
	Explanation{TCPCRYPT_FALLBACK_KERNEL_SOCKET, nullptr,
		"The socket belongs to the kernel (NFS, iSCSI and the like), which would not get along with it.",
		"Use the encryption that the service has itself, for example TLS for NFS."},
	Explanation{TCPCRYPT_FALLBACK_HALFOPEN_LIMIT, nullptr,
		"There were net.tcpcrypt.max_halfopen half-open connections with ENO already.",
		"Raise the limit if that many connections are normal here; otherwise this host is being flooded with SYNs."},
	Explanation{TCPCRYPT_FALLBACK_NO_MEMORY, nullptr,
		"Memory was short when the connection began.",
		"Find out what uses the memory of this host, or of this control group."},
	Explanation{TCPCRYPT_FALLBACK_SYN_COOKIE, nullptr,
		"The listener answered with a SYN cookie, which has no room for ENO.",
		"Raise the listener's backlog and net.ipv4.tcp_max_syn_backlog; under a SYN flood all connections are plain."},
	Explanation{TCPCRYPT_FALLBACK_NO_RANDOM, nullptr,
		"The kernel's random number generator was not seeded yet.",
		"It happens only soon after boot; give the machine a source of entropy if it lasts."},
	Explanation{TCPCRYPT_FALLBACK_DRAINING, nullptr,
		"The module makes no new encrypted connections, so that it can be removed.",
		"Load it again when you are done."},
	Explanation{TCPCRYPT_FALLBACK_PATH, nullptr,
		"SYNs with the option got lost on the way to this address before, and one without was answered.",
		"Find what drops them on the path; net.tcpcrypt.path_lifetime says how long this is remembered."},
	Explanation{TCPCRYPT_ABORT_AUTH, "EBADMSG",
		"A frame did not authenticate: it is not what the peer sent.", attack_or_damage},
	Explanation{TCPCRYPT_ABORT_BAD_FRAME, "EBADMSG",
		"A frame was too short for what it must hold.", attack_or_damage},
	Explanation{TCPCRYPT_ABORT_TRUNCATED, "ECONNABORTED",
		"The connection ended before the peer said that it was done: bytes are missing at the end. Somebody forged "
		"the end, or the peer was killed in the middle.", attack_or_damage},
	Explanation{TCPCRYPT_ABORT_AFTER_FINP, "ECONNABORTED",
		"Data came after the peer had said that it was done.", attack_or_damage},
	Explanation{TCPCRYPT_ABORT_BAD_INIT, "EPROTO",
		"The peer's key exchange message (Init1 or Init2) does not follow RFC 8548.",
		"The peer's implementation is defective, or something on the path writes into the connection."},
	Explanation{TCPCRYPT_ABORT_BAD_KEY, "EPROTO",
		"The peer's public key is not a valid one.",
		"The peer's implementation is defective, or somebody tried a small-subgroup attack."},
	Explanation{TCPCRYPT_ABORT_NO_CIPHER, "EPROTO",
		"The two ends have no cipher (AEAD) in common, or the peer chose one that was not offered.",
		"Compare the sysctl net.tcpcrypt.aeads of both hosts."},
	Explanation{TCPCRYPT_ABORT_TIMEOUT, "ETIMEDOUT",
		"The key exchange was not over in net.tcpcrypt.handshake_timeout_ms milliseconds.",
		"The peer stopped answering after the TCP handshake, or the path loses very much; raise the limit for very "
		"slow paths."},
	Explanation{TCPCRYPT_ABORT_NO_MEMORY, "ENOMEM",
		"Memory was short during the key exchange.",
		"Find out what uses the memory of this host, or of this control group."},
	Explanation{TCPCRYPT_ABORT_CRYPTO, "EIO",
		"The kernel's crypto functions failed.",
		"See dmesg: a crypto driver is broken, or a module of it is missing."},
	Explanation{TCPCRYPT_ABORT_FOREIGN_DATA, "EPROTO",
		"Something on this host other than the program wrote into the connection, or read from it.",
		"Find out what: a BPF program, a tool that injects into sockets."},
	Explanation{TCPCRYPT_ABORT_CLOSED, nullptr,
		"The program closed the connection during the key exchange, and the rest could not be finished.",
		"Nothing, if the peer had gone as well; otherwise see the other counters for what went wrong."},
	Explanation{TCPCRYPT_ABORT_KEEPALIVE, "ETIMEDOUT",
		"The program asked for keep-alive (SO_KEEPALIVE), and the peer did not answer with anything authentic in the "
		"time that TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT give it.",
		"Nothing, if the peer had gone. If its host still answers TCP, its kernel is stuck, or somebody on the path "
		"answers in its place."},
	Explanation{TCPCRYPT_ABORT_REQUIRED, "ECONNREFUSED",
		"Encryption was required, by enable_connect or enable_listen or by the program, and the peer did not take part.",
		"Have the module on the other host as well, or do not require encryption."},
};

} // namespace

std::span<const Explanation> explanations()
{
	return table;
}

const Explanation *explain(const std::string &reason)
{
	for (const Explanation &explanation : table)
		if (reason == tcpcrypt_reason_name(explanation.reason) || reason == std::to_string(explanation.reason))
			return &explanation;
	return nullptr;
}

} // namespace tcpcrypt
