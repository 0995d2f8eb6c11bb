/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* For texts that include libbpf's header of this name. */
#pragma clang system_header
#include "bpflua/usdt.h"
