-- SPDX-License-Identifier: Apache-2.0
-- A probe with thousands of locations: each one's own arguments arrive, once. `many.lua PROGRAM [PID]`; with a process,
-- it waits for PROGRAM.answer, by which time the process and others have fired.

local program, pid = arg[1], tonumber(arg[2])

local b = BPF{text = [[
BPF_HASH(seen, u32, u64, 100000);
BPF_ARRAY(sums, s64, 3);

SEC("usdt")
int BPF_USDT(on_place, u32 number, s64 same)
{
    int zero = 0, one = 1, two = 2;
    seen.increment(number);
    sums.atomic_increment(zero);
    sums.atomic_increment(one, number);
    sums.atomic_increment(two, same);
    return 0;
}
]]}
b:attach_usdt{path = program, pid = pid, probe = "place", fn_name = "on_place"}
print("ready")
io.flush()
local wanted
if pid then
    while not os.exists(program .. ".answer") do
        BPF.sleep(0.02)
    end
    wanted = io.open(program .. ".answer"):read("*l")
else
    wanted = io.popen("echo | " .. program):read("*l")
end
local got = ("%d %d %d"):format(b.sums[0], b.sums[1], b.sums[2])
assert(got == wanted, "got " .. got .. ", wanted " .. wanted)
local count = 0
for number, times in b.seen:items() do
    assert(times == 1, ("location %d was seen %d times"):format(number, times))
    count = count + 1
end
assert(count == tonumber(wanted:match("^%d+")), count)
local probe = b:probes()[1]
print(probe.mechanism, probe.resolved[1])
