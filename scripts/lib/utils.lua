-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The second argument of a bcc-lua script. The full contract is not here yet.

return {}
