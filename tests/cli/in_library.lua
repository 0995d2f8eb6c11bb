-- SPDX-License-Identifier: Apache-2.0
local hist = require("bpflua.hist")
hist.log2_text(5)
