/* SPDX-License-Identifier: Apache-2.0 */
TRACEPOINT_PROBE(sched, swich)
{
	return args->prev_pid;
}
