// SPDX-License-Identifier: GPL-2.0
/* Pages of plaintext that lie in the kernel for a while, and are wiped before they go. */
#include "session/conn.h"
#include <linux/highmem.h>

struct tcpcrypt_chunk *tcpcrypt_chunk_alloc(u32 size, gfp_t gfp)
{
	u32 n = DIV_ROUND_UP(size, PAGE_SIZE);
	struct tcpcrypt_chunk *chunk;
	u32 i;

	chunk = kmalloc(struct_size(chunk, pages, n), gfp | __GFP_NOWARN);
	if (!chunk)
		return NULL;
	INIT_LIST_HEAD(&chunk->node);
	chunk->off = 0;
	chunk->len = 0;
	chunk->n_pages = n;
	for (i = 0; i < n; i++) {
		chunk->pages[i] = alloc_page(gfp | __GFP_NOWARN);
		if (!chunk->pages[i])
			goto undo;
	}
	return chunk;

undo:
	while (i--)
		__free_page(chunk->pages[i]);
	kfree(chunk);
	return NULL;
}

void tcpcrypt_chunk_free(struct tcpcrypt_chunk *chunk)
{
	u32 i;

	if (!chunk)
		return;
	for (i = 0; i < chunk->n_pages; i++) {
		clear_highpage(chunk->pages[i]);
		__free_page(chunk->pages[i]);
	}
	kfree(chunk);
}

void tcpcrypt_chunk_list_free(struct list_head *list)
{
	struct tcpcrypt_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, list, node) {
		list_del(&chunk->node);
		tcpcrypt_chunk_free(chunk);
	}
}

unsigned int tcpcrypt_chunk_to_sg(struct tcpcrypt_chunk *chunk, u32 off, u32 len, struct scatterlist *sg)
{
	unsigned int n = 0;

	while (len) {
		u32 in = offset_in_page(off);
		u32 part = min_t(u32, len, PAGE_SIZE - in);

		sg_set_page(&sg[n++], chunk->pages[off >> PAGE_SHIFT], part, in);
		off += part;
		len -= part;
	}
	return n;
}

void tcpcrypt_chunk_wipe(struct tcpcrypt_chunk *chunk, u32 off, u32 len)
{
	while (len) {
		u32 in = offset_in_page(off);
		u32 part = min_t(u32, len, PAGE_SIZE - in);

		memzero_page(chunk->pages[off >> PAGE_SHIFT], in, part);
		off += part;
		len -= part;
	}
}
