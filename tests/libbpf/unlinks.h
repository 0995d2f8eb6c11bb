/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNLINKS_H
#define UNLINKS_H

#define NAME_BYTES 64

struct event {
	int pid;
	int result;
	char comm[16];
	char name[NAME_BYTES];
};

#endif
