-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The BPF objects that are open, in the order they were made: all are closed at the script's end.

return {}
