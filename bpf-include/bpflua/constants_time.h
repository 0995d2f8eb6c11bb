/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The kernel's tick, and whether it was built with an option. */
#pragma clang system_header

/* Ticks a second are the host's to say: a compiler flag where they are known. */
#ifndef __BPFLUA_HZ
#define __BPFLUA_HZ 250
#endif
#define HZ __BPFLUA_HZ
#define CONFIG_HZ __BPFLUA_HZ
#define TICK_NSEC (NSEC_PER_SEC / HZ)
#define jiffies_to_msecs(j) ((unsigned int)((j) * MSEC_PER_SEC / HZ))
#define jiffies_to_usecs(j) ((unsigned int)((j) * USEC_PER_SEC / HZ))
#define jiffies_to_nsecs(j) ((u64)(j) * (NSEC_PER_SEC / HZ))
#define msecs_to_jiffies(ms) (((unsigned long)(ms) * HZ + MSEC_PER_SEC - 1) / MSEC_PER_SEC)
#define nsecs_to_jiffies(ns) ((unsigned long)((u64)(ns) / (NSEC_PER_SEC / HZ)))
#define ktime_to_ns(t) ((s64)(t))
#define ktime_to_us(t) ((s64)(t) / NSEC_PER_USEC)
#define ktime_to_ms(t) ((s64)(t) / NSEC_PER_MSEC)

/* An option that is on is 1; one that is off, or a module's, is nothing. A macro of one argument more is chosen by what
 * `__BPFLUA_OPTION_` and the option's value become. */
#if 1
#define __BPFLUA_OPTION_1 ,
#define __BPFLUA_SECOND(first, second, ...) second
#define __BPFLUA_IS_ON(option) __BPFLUA_IS_ON_(option)
#define __BPFLUA_IS_ON_(value) __BPFLUA_IS_ON__(__BPFLUA_OPTION_##value)
#define __BPFLUA_IS_ON__(nothing_or_comma) __BPFLUA_SECOND(nothing_or_comma 1, 0, 0)
#define IS_BUILTIN(option) __BPFLUA_IS_ON(option)
#define IS_MODULE(option) __BPFLUA_IS_ON(option##_MODULE)
#define IS_ENABLED(option) (IS_BUILTIN(option) || IS_MODULE(option))
#define IS_REACHABLE(option) IS_BUILTIN(option)
#endif
