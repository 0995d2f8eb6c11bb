-- SPDX-License-Identifier: Apache-2.0
return function(BPF, utils)
    assert(BPF and utils and arg[0])
    error("from the contract")
end
