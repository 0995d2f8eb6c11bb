-- SPDX-License-Identifier: Apache-2.0
error({ code = 5 })
