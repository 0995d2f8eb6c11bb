// SPDX-License-Identifier: Apache-2.0
/* What the tools that trace programs are pointed at: functions, and the USDT probes of every runtime and database that
 * some tool knows, each with six arguments or more. It waits until its input ends. x86-64. */
#include <unistd.h>

#define PROBE(name) PROBE_WITH(name, "")
#define PROBE_WITH(name, more) \
	__asm__ volatile( \
		"990: nop\n" \
		".pushsection .note.stapsdt,\"\",\"note\"\n" \
		".balign 4\n" \
		".4byte 992f-991f, 994f-993f, 3\n" \
		"991: .asciz \"stapsdt\"\n" \
		"992: .balign 4\n" \
		"993: .8byte 990b\n" \
		".8byte _.stapsdt.base\n" \
		".8byte 0\n" \
		".asciz \"conformance\"\n" \
		".asciz \"" name "\"\n" \
		".asciz \"-4@%edi 8@%rsi 8@%rdx 8@%rcx 8@%r8 8@%r9" more "\"\n" \
		"994: .balign 4\n" \
		".popsection\n")

__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	".size _.stapsdt.base, 1\n"
	".popsection\n");

__attribute__((noinline)) void run_probes(int count, const char *a, const char *b, const char *c, long d, long e)
{
	PROBE("method__entry");
	PROBE("method__return");
	PROBE("cmethod__entry");
	PROBE("cmethod__return");
	PROBE("sub__entry");
	PROBE("sub__return");
	PROBE("function__entry");
	PROBE("function__return");
	PROBE("proc__entry");
	PROBE("proc__args");
	PROBE("proc__return");
	PROBE("gc__begin");
	PROBE("gc__end");
	PROBE("gc__start");
	PROBE("gc__done");
	PROBE("gc__mark__begin");
	PROBE("gc__mark__end");
	PROBE("gc__sweep__begin");
	PROBE("gc__sweep__end");
	PROBE_WITH("mem__pool__gc__begin", " 8@%r10 8@%r11");
	PROBE_WITH("mem__pool__gc__end", " 8@%r10 8@%r11");
	PROBE("object__alloc");
	PROBE("object__create");
	PROBE("string__create");
	PROBE("hash__create");
	PROBE("array__create");
	PROBE("symbol__create");
	PROBE("obj__create");
	PROBE("thread__start");
	PROBE("thread__stop");
	PROBE("pthread_start");
	PROBE("class__loaded");
	PROBE("compile__file__entry");
	PROBE("exception__thrown");
	PROBE("require__entry");
	PROBE("load__entry");
	PROBE("query__start");
	PROBE("query__done");
	__asm__ volatile("" : : "r"(count), "r"(a), "r"(b), "r"(c), "r"(d), "r"(e));
}

/* As a MySQL server (where it is C++) and bash have them. */
int dispatch_command(int command, void *connection, const char *query, unsigned length)
	__asm__("_Z16dispatch_command19enum_server_commandP3THDPcj");

__attribute__((noinline)) int dispatch_command(int command, void *connection, const char *query, unsigned length)
{
	run_probes(command, connection, query, query, length, 0);
	return command;
}

__attribute__((noinline)) const char *readline(const char *prompt)
{
	dispatch_command(1, 0, prompt, 1);
	return prompt;
}

/* As the libraries for TLS have them. */
#define TRANSFER(name) \
	long name(void *tls, void *bytes, long length) { return tls && bytes ? length : 0; }
TRANSFER(SSL_write)
TRANSFER(SSL_read)
TRANSFER(SSL_do_handshake)
TRANSFER(gnutls_record_send)
TRANSFER(gnutls_record_recv)
TRANSFER(PR_Write)
TRANSFER(PR_Send)
TRANSFER(PR_Read)
TRANSFER(PR_Recv)

int main(void)
{
	char byte;
	readline("? ");
	while (read(0, &byte, 1) > 0)
		continue;
	return 0;
}
