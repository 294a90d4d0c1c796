#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tcpcryptctl, the sysctls and the netlink family on real connections between two namespaces.
set -uo pipefail

a=tcctl-a b=tcctl-b c=tcctl-c
scratch=$(mktemp -d)
pids=()
many=100
[ -z "${TCPCRYPT_TEST_QUICK:-}" ] || many=60

# A case ends at its first failed command; what it printed last is the reason.
die() {
	[ -z "$in_setup" ] || echo "not ok setup: $*"
	echo "$*" >&2
	exit 1
}
in_setup=''
equal() { [ "$2" = "$3" ] || die "$1 is '$2', not '$3'"; }
exits() { # STATUS COMMAND...: the text that it prints is left in $scratch/out
	local status=0 want=$1
	shift
	"$@" >"$scratch/out" 2>&1 || status=$?
	[ $status = "$want" ] || die "'$*' exits with $status, not $want: $(cat "$scratch/out")"
}
says() { grep -q -- "$1" "$scratch/out" || die "'$1' is not in: $(cat "$scratch/out")"; }
wait_for() { # COMMAND...: for 30 s at most, since an emulated machine may be slow
	local end=$((SECONDS + 30))
	until "$@"; do
		[ $SECONDS -lt $end ] || die "in vain: $*"
		sleep 0.1
	done
}

ctl() { local ns=$1; shift; tcpcryptctl -n "$ns" "$@"; }
conns() { ctl "$1" -j conn show "${@:2}"; }
count() { conns "$@" | jq length; }
count_is() { [ "$(count "$1" "${@:3}")" = "$2" ]; }
bytes_are() { # NAMESPACE TX RX PORT-FILTER...
	[ "$(conns "$1" "${@:4}" | jq -r '"\(.[0].tx_bytes) \(.[0].rx_bytes)"')" = "$2 $3" ]
}
plain_total() { ctl "$1" -j status | jq .plain; }
nobody() { ip netns exec "$1" setpriv --reuid=65534 --regid=65534 --clear-groups "${@:2}"; }

# One connection from a to b, open until its input, $scratch/to-NAME, is closed.
connect() { # NAME SOCAT-ADDRESS
	mkfifo "$scratch/to-$1"
	ip netns exec $a socat - "$2" <>"$scratch/to-$1" >"$scratch/from-$1" &
	pids+=($!)
}

setup() {
	local ns
	for ns in $a $b $c; do
		ip netns add $ns
		ip -n $ns link set lo up
	done
	ip -n $a link add veth0 type veth peer name veth0 netns $b
	ip -n $a addr add 192.0.2.1/24 dev veth0
	ip -n $b addr add 192.0.2.2/24 dev veth0
	ip -n $a addr add 2001:db8::1/64 dev veth0 nodad
	ip -n $b addr add 2001:db8::2/64 dev veth0 nodad
	ip -n $a link set veth0 up
	ip -n $b link set veth0 up
	ip netns exec $b socat -t30 TCP6-LISTEN:5000,reuseaddr,fork EXEC:cat &
	pids+=($!)
	ip netns exec $b socat -u TCP4-LISTEN:5001,reuseaddr,fork,backlog=128 OPEN:/dev/null &
	pids+=($!)
	wait_for listening 5000
	wait_for listening 5001
	connect v4 TCP4:192.0.2.2:5000
	connect v6 TCP6:[2001:db8::2]:5000
	wait_for count_is $a 2 state encrypted
	wait_for count_is $b 2 state encrypted
}
listening() { ip netns exec $b ss -Hltn "sport = :$1" | grep -q .; }

disconnect() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	[ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null
	pids=()
}
cleanup() {
	disconnect
	local ns
	for ns in $a $b $c; do
		ip netns pids $ns 2>/dev/null | xargs -r kill 2>/dev/null
		ip netns del $ns 2>/dev/null
	done
	rm -rf "$scratch"
}
trap cleanup EXIT

status__names_module_and_settings() {
	equal version "$(ctl $a -j status | jq -r .version)" "$(tcpcryptctl -V | cut -d' ' -f2)"
	equal kernel "$(ctl $a -j | jq -r .kernel)" "$(uname -r)"
	equal current "$(ctl $a -j status | jq .current)" 2
	equal teps "$(ctl $a -j status | jq -r '.settings.teps[0]')" curve25519
	exits 0 ctl $a --color=never
	says '^tcpcrypt .* loaded, kernel'
	says '  connect offer   listen offer   teps curve25519'
}

conn_show__both_ends_agree() {
	local ours theirs
	ours=$(conns $a dst 192.0.2.2 | jq -c '.[0]')
	theirs=$(conns $b src 192.0.2.2 | jq -c '.[0]')
	equal family "$(jq -r .family <<<"$ours") $(jq -r .family <<<"$theirs")" "inet inet"
	equal roles "$(jq -r .role <<<"$ours")$(jq -r .role <<<"$theirs")" AB
	equal active "$(jq .active <<<"$ours") $(jq .active <<<"$theirs")" "true false"
	equal ports "$(jq .local_port <<<"$ours")" "$(jq .remote_port <<<"$theirs")"
	equal port "$(jq .remote_port <<<"$ours")" 5000
	equal address "$(jq -r .remote_address <<<"$theirs")" 192.0.2.1
	equal tep "$(jq -r .tep <<<"$ours")" curve25519
	equal aead "$(jq -r .aead <<<"$ours")" "$(jq -r .aead <<<"$theirs")"
	equal 'session id' "$(jq -r .session_id <<<"$ours")" "$(jq -r .session_id <<<"$theirs")"
	[[ $(jq -r .session_id <<<"$ours") =~ ^23[0-9a-f]{64}$ ]] || die "no session ID: $ours"
	[ "$(jq .handshake_us <<<"$ours")" -gt 0 ] || die "no handshake time: $ours"
}

conn_show__cookie_is_that_of_ss() {
	local id
	id=$(printf %x "$(conns $a dst 192.0.2.2 | jq '.[0].cookie')")
	ip netns exec $a ss -Htne "dport = :5000 and dst 192.0.2.2" | grep -q "sk:$id\b" || die "ss does not know $id"
	equal address "$(conns $a id "$id" | jq -r '.[0].remote_address')" 192.0.2.2
}

conn_show__counts_bytes() {
	printf hello >"$scratch/to-v6"
	wait_for bytes_are $a 5 5 dst 2001:db8::2
	bytes_are $b 5 5 src 2001:db8::2 || die "the other end says $(conns $b src 2001:db8::2)"
	equal 'echoed text' "$(cat "$scratch/from-v6")" hello
}

conn_show__filters() {
	local expected filter
	while read -r expected filter; do
		# shellcheck disable=SC2086
		equal "'$filter'" "$(count $a $filter)" "$expected"
	done <<-'EOT'
		2
		1 -4
		1 -6
		1 dst 192.0.2.0/24
		1 dst 2001:db8::/32
		1 src 192.0.2.1 dst 0.0.0.0/0
		0 dst 192.0.2.0/31
		0 src 192.0.2.2
		2 dport 5000
		0 sport 5000
		0 dport 5001
		2 state encrypted
		0 state exchange
		1 state encrypted dport 5000 dst 192.0.2.2
	EOT
}

conn_show__refusals() {
	exits 2 ctl $a conn show id ffffffffffff
	says 'no connection of tcpcrypt has this cookie'
	exits 1 ctl $a conn show dst 192.0.2.0/33
	exits 1 ctl $a -6 conn show dst 192.0.2.0/24
	exits 1 ctl $a conn show colour blue
	exits 1 ctl $a conn show state
	exits 1 ctl $a nothing
	exits 1 tcpcryptctl -n tcctl-none
}

conn_show__text_and_lines() {
	exits 0 ctl $a --color=never conn show dport 5000 dst 192.0.2.2
	says '^ID  *LOCAL  *REMOTE  *STATE  *TEP  *AEAD  *ROLE  *KEYS  *SESSION$'
	says ' 192.0.2.1:[0-9]*  *192.0.2.2:5000  *encrypted  *curve25519 .* A  *0/0  *23:'
	exits 0 ctl $a -o conn show dst 192.0.2.2
	says ' remote_address=192.0.2.2 remote_port=5000 state=encrypted '
	exits 0 ctl $a -q conn show
	equal 'quiet output' "$(cat "$scratch/out")" ''
}

session_id__needs_cap_net_admin() {
	local seen
	seen=$(nobody $a tcpcryptctl -j conn show)
	equal 'connections for nobody' "$(jq length <<<"$seen")" 2
	equal 'session IDs for nobody' "$(jq -c 'map(.session_id)' <<<"$seen")" '[null,null]'
	equal 'tep for nobody' "$(jq -r '.[0].tep' <<<"$seen")" curve25519
	# Root in a user namespace of its own has no right over the network namespace.
	seen=$(ip netns exec $a unshare --user --map-root-user tcpcryptctl -j conn show)
	equal 'session IDs elsewhere' "$(jq -c 'map(.session_id)' <<<"$seen")" '[null,null]'
	seen=$(ip netns exec $a tcpcryptctl -j conn show)
	equal 'session IDs for root' "$(jq 'map(.session_id | length)' -c <<<"$seen")" '[66,66]'
}

permission__names_the_capability() {
	exits 4 nobody $a tcpcryptctl config set loopback 1
	says CAP_NET_ADMIN
	exits 4 nobody $a tcpcryptctl -n $b status
	says CAP_SYS_ADMIN
	exits 4 nobody $a tcpcryptctl cache flush
	says CAP_NET_ADMIN
	says 'wipe its secrets'
	exits 0 nobody $a tcpcryptctl cache
	exits 0 nobody $a tcpcryptctl status
	exits 0 nobody $a tcpcryptctl stats
}

namespaces__know_only_their_own() {
	equal connections "$(count $c)" 0
	equal counters "$(ctl $c -j stats | jq '[.stats[], .fallbacks[].count, .aborts[].count] | add')" 0
	ctl $c config set frame_max=4096 loopback=1
	equal 'frame_max here' "$(ctl $c -j config show | jq .frame_max)" 4096
	[ "$(ctl $a -j config show | jq .frame_max)" != 4096 ] || die "frame_max went to the other namespace"
	equal 'loopback there' "$(ctl $a -j config show | jq .loopback)" 0
	ip netns del $c
	ip netns add $c
	equal 'loopback in a new one' "$(ctl $c -j config show | jq .loopback)" 0
}

sysctl__takes() {
	local key value shown
	while read -r key value shown; do
		ip netns exec $c sysctl -qw "net.tcpcrypt.$key=${value//_/ }"
		equal "$key" "$(ip netns exec $c sysctl -n "net.tcpcrypt.$key")" "$(echo "${shown:-$value}" | tr _ ' ')"
	done <<-'EOT'
		enable_connect 0
		enable_listen 0
		enable_connect 1
		loopback 1
		bad_connect_ports 1-3,80,65535
		bad_listen_ports 7,5,6 5-7
		teps 0x23 curve25519
		teps 35 curve25519
		aeads aes-256-gcm
		aeads 0x10,1 chacha20-poly1305_aes-128-gcm
		aeads ,aes-128-gcm,_2_, aes-128-gcm_aes-256-gcm
		syn_retries 6
		handshake_timeout_ms 100
		handshake_timeout_ms 600000
		max_halfopen 0
		max_halfopen 1048576
		rekey_frames 1
		rekey_frames 18446744073709551615
		rekey_bytes 0x1000000000 68719476736
		frame_max 1024
		frame_max 65518
		resume 0
		resume_cache 0
		resume_cache 65536
		resume_lifetime 1
		resume_lifetime 604800
		resume_nonce_len 0
		resume_nonce_len 8
	EOT
	ip netns exec $c sh -c 'echo >/proc/sys/net/tcpcrypt/bad_connect_ports'
	equal 'no ports' "$(ip netns exec $c sysctl -n net.tcpcrypt.bad_connect_ports)" ''
}

sysctl__refuses() {
	local key value before long
	long=$(printf 'aes-128-gcm%.0s' {1..30})
	before=$(ctl $c -j config show)
	while read -r key value; do
		exits 2 ctl $c config set "$key" "$value"
		says 'it takes '
	done <<-EOT
		enable_connect 3
		enable_connect -1
		enable_listen 3
		enable_listen x
		loopback 2
		bad_connect_ports 65536
		bad_connect_ports 5-
		bad_listen_ports http
		teps none
		teps
		teps curve25519 curve25519
		teps 0x123
		aeads
		aeads aes-128-gcm,1
		aeads null
		aeads $long
		syn_retries 7
		syn_retries -1
		handshake_timeout_ms 99
		handshake_timeout_ms 600001
		max_halfopen 1048577
		rekey_frames 0
		rekey_frames 18446744073709551616
		rekey_bytes -1
		rekey_bytes 1k
		frame_max 1023
		frame_max 65519
		resume 2
		resume_cache 65537
		resume_lifetime 0
		resume_lifetime 604801
		resume_nonce_len 9
	EOT
	equal settings "$(ctl $c -j config show)" "$before"
}

config__names() {
	ctl $c config set enable_listen off
	equal enable_listen "$(ctl $c -j config show enable_listen | jq .enable_listen)" 0
	exits 0 ctl $c config show enable_listen
	says '0 (off)'
	exits 5 ctl $c -q status --require
	ctl $c config set enable_listen offer enable_connect offer
	exits 0 ctl $c -q status --require
	exits 1 ctl $c config set no_such_thing 1
	exits 1 ctl $c config set loopback
	exits 1 ctl $c config show no_such_thing
}

stats__count_connections_and_reasons() {
	local before
	before=$(plain_total $a)
	equal 'encrypted by connect' "$(ctl $a -j stats | jq .stats.encrypted_connect)" 2
	equal 'encrypted by accept' "$(ctl $b -j stats | jq .stats.encrypted_accept)" 2
	ctl $b config set enable_listen=0
	equal 'plain echo' "$(echo plain | ip netns exec $a socat -t30 - TCP4:192.0.2.2:5000)" plain
	ctl $b config set enable_listen=1
	equal 'plain connections' $(($(plain_total $a) - before)) 1
	exits 0 ctl $a status
	says 'why plain: no-eno-in-synack 1'
	exits 0 ctl $a stats
	says 'no-eno-in-synack  1'
	equal 'echo' "$(echo secret | ip netns exec $a socat -t30 - TCP4:192.0.2.2:5000)" secret
	equal 'encrypted by connect' "$(ctl $a -j stats | jq .stats.encrypted_connect)" 3
}

explain__every_reason_of_stats() {
	local counted explained
	counted=$(ctl $a -j stats | jq -c '[(.fallbacks + .aborts)[].reason]')
	explained=$(tcpcryptctl -j explain | jq -c 'map(.reason)')
	equal 'reasons explained' "$explained" "$counted"
	exits 0 tcpcryptctl explain bad-port
	says 'What to do'
	exits 1 tcpcryptctl explain nonsense
}

# More than fit one message of the dump; each of them once.
conn_dump__is_complete() {
	local seen
	mkfifo "$scratch/hold"
	ip netns exec $a bash -c '
		for ((i = 0; i < $1; i++)); do exec {fd}<>/dev/tcp/192.0.2.2/5001; done
		echo >"$2/connected"
		read -r <"$2/hold"' many $many "$scratch" >/dev/null 2>&1 &
	wait_for test -e "$scratch/connected"
	wait_for count_is $a $many dport 5001 state encrypted
	seen=$(conns $a dport 5001)
	equal 'distinct connections' "$(jq 'map(.cookie) | unique | length' <<<"$seen")" $many
	equal 'distinct ports' "$(jq 'map(.local_port) | unique | length' <<<"$seen")" $many
	echo >"$scratch/hold"
	wait
}

# Takes the module away, and brings it back.
unload() { rmmod tcpcrypt 2>/dev/null; }
not_loaded__is_said() {
	local command status=0
	wait_for unload
	for command in status stats cache 'cache flush' 'conn show' 'config show' 'config set loopback 1' 'config show loopback'; do
		# shellcheck disable=SC2086
		exits 3 ctl $a $command
		says 'not loaded'
	done
	exits 0 tcpcryptctl explain bad-port
	insmod "$TCPCRYPT_KO" || status=$?
	equal 'status of insmod' $status 0
	exits 0 ctl $a status
}

run() {
	local output status
	output=$(set -e; "$1" 2>&1)
	status=$?
	if [ $status = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(tail -n 1 <<<"$output")"
		failed=1
	fi
}

failed=0 in_setup=1
setup
in_setup=''
for case in \
	status__names_module_and_settings \
	conn_show__both_ends_agree \
	conn_show__cookie_is_that_of_ss \
	conn_show__counts_bytes \
	conn_show__filters \
	conn_show__refusals \
	conn_show__text_and_lines \
	session_id__needs_cap_net_admin \
	permission__names_the_capability \
	namespaces__know_only_their_own \
	sysctl__takes \
	sysctl__refuses \
	config__names \
	stats__count_connections_and_reasons \
	explain__every_reason_of_stats \
	conn_dump__is_complete; do
	run $case
done
disconnect
# User Mode Linux 6.1 may unmap its own stack when a module is freed after namespaces and their per-CPU memory
# went (flush_tlb_kernel_range() over all of vmalloc in between), and then faults for ever. There the suite
# "unload" takes the module away, from fewer namespaces.
if [[ ${TCPCRYPT_KERNEL:-} = uml* ]]; then
	:
elif [ -n "${TCPCRYPT_KO:-}" ]; then
	run not_loaded__is_said
else
	echo "skip not_loaded__is_said: TCPCRYPT_KO does not say what to load again"
fi
exit $failed
