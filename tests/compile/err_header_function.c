/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/skbuff.h>

int kprobe__f(struct pt_regs *ctx, void *skb)
{
	return skb_shared_info_of(skb) + skb_installed_nowhere(skb) + skb_of_this_text(skb);
}
