// SPDX-License-Identifier: Apache-2.0
/* Says that it was started; ends with whoever started it. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(1, "\nready\n", 7) < 0)
		return 1;
	return pause();
}
