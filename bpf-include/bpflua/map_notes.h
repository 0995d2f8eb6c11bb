/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What a map needs of the host and libbpf's map variable cannot say: pairs of strings, map name and note, one after the
 * other in the section ".bpflua.pins". README.md lists the notes. */
#ifndef BPFLUA_MAP_NOTES_H
#define BPFLUA_MAP_NOTES_H
#pragma clang system_header

#define __BPFLUA_NOTE(NAME, TEXT)                                                                     \
	static const char __bpflua_note_##NAME[]                                                      \
		__attribute__((section(".bpflua.pins"), used, nodebug, aligned(1))) = #NAME "\0" TEXT;

#endif
