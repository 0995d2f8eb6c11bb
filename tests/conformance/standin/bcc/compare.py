# SPDX-License-Identifier: Apache-2.0
"""`STRCMP("words", expression)` in the expressions of trace and argdist."""

import re

_CALL = re.compile(r'STRCMP\(\s*("[^"]*")\s*,\s*(.+?)\s*\)')
_FUNCTION = """
static inline bool same_string_%d(char const *address)
{
    char wanted[] = %s;
    char found[sizeof(wanted)] = {};
    %s(&found, sizeof(found), (void *)address);
    for (int i = 0; i < sizeof(wanted) - 1; ++i)
        if (wanted[i] != found[i])
            return false;
    return true;
}
"""
_BINARY = """
static inline bool same_string_%d(char const *found)
{
    char wanted[] = %s;
    for (int i = 0; i < sizeof(wanted) - 1; ++i)
        if (wanted[i] != found[i])
            return false;
    return true;
}
"""


class StrcmpRewrite:
    @staticmethod
    def rewrite_expr(expr, bin_cmp, is_user, probe_user_list, streq_functions, probeid):
        """The expression with calls of functions of its own, and those functions."""
        def call(match):
            nonlocal streq_functions, probeid
            literal, argument = match.groups()
            read = "bpf_probe_read_user" if is_user or argument in probe_user_list else "bpf_probe_read_kernel"
            function = _BINARY % (probeid, literal) if bin_cmp else _FUNCTION % (probeid, literal, read)
            streq_functions += function
            probeid += 1
            return "same_string_%d(%s)" % (probeid - 1, argument)

        return {"expr": _CALL.sub(call, expr), "streq_functions": streq_functions, "probeid": probeid}
