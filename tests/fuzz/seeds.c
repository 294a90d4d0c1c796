// SPDX-License-Identifier: GPL-2.0
/* Writes what each fuzz target starts from, out of the vectors: seeds DIRECTORY. */
#include "fuzz.h"
#include "vectors.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *top;

static void seed(const char *target, const char *name, const u8 *head, size_t head_len,
		 struct vec_bytes a, struct vec_bytes b)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", top, target, name);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		exit(1);
	}
	fwrite(head, 1, head_len, f);
	fwrite(a.data, 1, a.len, f);
	fwrite(b.data, 1, b.len, f);
	if (fclose(f)) {
		perror(path);
		exit(1);
	}
}

#define EACH(v, kind)                                                                     \
	for (const struct vec_##kind *v = vecs_##kind;                                    \
	     v < vecs_##kind + sizeof(vecs_##kind) / sizeof(vecs_##kind[0]); v++)

int main(int argc, char **argv)
{
	const struct vec_bytes none = { NULL, 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIRECTORY\n");
		return 2;
	}
	top = argv[1];

	EACH(v, eno_options_find)
		seed("eno_options", v->name, NULL, 0, v->opts, none);
	EACH(v, eno_syn_parse)
		seed("eno_syn", v->name, NULL, 0, v->opt, none);
	EACH(v, eno_answer_build) {
		const u8 head[] = { (u8)v->aware, (u8)v->global, (u8)v->peer.len };

		seed("eno_negotiate", v->name, head, sizeof(head), v->peer, v->opt);
	}
	EACH(v, eno_negotiate) {
		const u8 head[] = { (u8)v->aware, 0, (u8)v->self.len };

		seed("eno_negotiate", v->name, head, sizeof(head), v->self, v->peer);
	}
	EACH(v, init1_parse) {
		const u8 mode = v->has_len ? 4 : 0;

		seed("init", v->name, &mode, 1, v->msg, none);
	}
	EACH(v, init2_parse) {
		const u8 key = v->pub_len == 69 ? 3 : v->has_len ? 2 : v->pub_len == 56;
		const u8 mode = (u8)(key << 1 | 1);
		char name[128];

		snprintf(name, sizeof(name), "init2_%s", v->name);
		seed("init", name, &mode, 1, v->msg, none);
	}
	EACH(v, frame_hdr_parse)
		seed("frame", v->name, NULL, 0, v->buf, none);
	EACH(v, frame_payload) {
		const u8 head[] = { 0, 1, 0 };
		char name[128];

		snprintf(name, sizeof(name), "payload_%s", v->name);
		seed("frame", name, head, sizeof(head), v->plain, none);
	}
	return 0;
}
