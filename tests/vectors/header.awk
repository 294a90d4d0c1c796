# SPDX-License-Identifier: GPL-2.0
# Turns vector files into a C header: a struct type and an array for each kind of vector.
# usage: awk -f header.awk FILE... >vectors.h
#
#   KIND: NAME [REQUIREMENT...]     begins a vector
#     FIELD  45 04 a3 00*6          bytes, in hexadecimal; 00*6 is a byte six times
#     FIELD  #12                    a number
#     FIELD  =ENO_OK                a C expression, also a number
#
# A field that is there again goes on. A field that is not there is empty, or 0.
#
# From a .json file: objects with "kind", "name", "requirements" and fields that are hexadecimal text or
# numbers, one member a line, as tcpcrypt-conformance --vectors prints them.

function fail(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what >"/dev/stderr"
	failed = 1
	exit 1
}

function bytes(text,    n, i, j, part, out) {
	n = split(text, tokens, " ")
	out = ""
	for (i = 1; i <= n; i++) {
		split(tokens[i], part, "*")
		if (part[1] !~ /^([0-9a-f][0-9a-f])+$/)
			fail("not hexadecimal: " tokens[i])
		for (j = part[2] == "" ? 1 : part[2] + 0; j > 0; j--)
			out = out part[1]
	}
	return out
}

function literal(hex,    out, i) {
	if (hex == "")
		return "{ 0, 0 }"
	out = ""
	for (i = 1; i < length(hex); i += 2)
		out = out "\\x" substr(hex, i, 2)
	return "{ (const u8 *)\"" out "\", " length(hex) / 2 " }"
}

function vector(k, n, r) {
	kind = k
	if (!(kind in count))
		kinds[++n_kinds] = kind
	id = kind SUBSEP (++count[kind])
	name[id] = n
	if ((kind, n) in seen)
		fail("a second " kind " " n)
	seen[kind, n] = 1
	reqs[id] = r
}

function member(field, type, text) {
	if (!((kind, field) in types)) {
		types[kind, field] = type
		fields[kind, ++n_fields[kind]] = field
	} else if (types[kind, field] != type) {
		fail("a " types[kind, field] " before: " field)
	}
	if (type == "num")
		value[id, field] = text
	else
		value[id, field] = value[id, field] bytes(text)
}

FILENAME ~ /\.json$/ {
	if ($0 ~ /^[ \t]*([\[\]{}]+,?|"vectors": \[|"about": ".*",)$/)
		next
	if ($0 !~ /^[ \t]*"[a-z0-9_]+": ("[A-Za-z0-9_ -]*"|[0-9]+),?$/)
		fail("not understood: " $0)
	split($0, part, "\"")
	text = $0
	sub(/^[ \t]*"[a-z0-9_]+": "?/, "", text)
	sub(/"?,?$/, "", text)
	if (part[2] == "kind")
		json_kind = text
	else if (part[2] == "name")
		json_name = text
	else if (part[2] == "requirements")
		vector(json_kind, json_name, text)
	else
		member(part[2], 4 in part ? "bytes" : "num", text)
	next
}

/^[ \t]*(#|$)/ && !/^[ \t]+#/ { next }

/^[a-z0-9_]+: / {
	text = ""
	for (i = 3; i <= NF; i++)
		text = text (i > 3 ? " " : "") $i
	vector(substr($1, 1, length($1) - 1), $2, text)
	next
}

/^[ \t]/ {
	field = $1
	text = $0
	sub(/^[ \t]+[a-z0-9_]+[ \t]*/, "", text)
	if (text ~ /^[#=]/)
		member(field, "num", substr(text, 2))
	else
		member(field, "bytes", text)
	next
}

{ fail("not understood: " $0) }

END {
	if (failed)
		exit 1
	print "/* Made by header.awk. */"
	print "#ifndef TCPCRYPT_VECTORS_H"
	print "#define TCPCRYPT_VECTORS_H"
	print "\nstruct vec_bytes {\n\tconst u8 *data;\n\tsize_t len;\n};"
	for (k = 1; k <= n_kinds; k++) {
		kind = kinds[k]
		print "\nstruct vec_" kind " {\n\tconst char *name;\n\tconst char *reqs;"
		for (f = 1; f <= n_fields[kind]; f++) {
			field = fields[kind, f]
			type = types[kind, field] == "num" ? "long long" : "struct vec_bytes"
			print "\t" type " " field ";"
		}
		print "};\n"
		print "static const struct vec_" kind " vecs_" kind "[] __attribute__((unused)) = {"
		for (i = 1; i <= count[kind]; i++) {
			id = kind SUBSEP i
			print "\t{\n\t\t.name = \"" name[id] "\","
			print "\t\t.reqs = \"" reqs[id] "\","
			for (f = 1; f <= n_fields[kind]; f++) {
				field = fields[kind, f]
				v = value[id, field]
				if (types[kind, field] == "num")
					v = v == "" ? "0" : v
				else
					v = literal(v)
				print "\t\t." field " = " v ","
			}
			print "\t},"
		}
		print "};"
	}
	print "\n#endif"
}
