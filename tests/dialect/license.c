/* SPDX-License-Identifier: Apache-2.0 */
/* Several words, as they stand.
 * license: Dual MIT/GPL */
#define BPF_LICENSE Dual MIT/GPL

int nothing(void *ctx)
{
	return 0;
}
