-- SPDX-License-Identifier: Apache-2.0
-- Queues and stacks, from both sides.

local getpgid = require("help.getpgid")
local t = require("harness")

local b = BPF({ text = getpgid.on([[
struct item { u32 number; char name[8]; };
BPF_QUEUE(queue, u64, 4);
BPF_STACK(stack, struct item, 4);
BPF_ARRAY(order, int, 1);
BPF_ARRAY(result, long, 1);
BPF_ARRAY(value, u64, 1);

ON_GETPGID
    int zero = 0, *what = order.lookup(&zero);
    u64 got = 77;
    long ret = 0;
    struct item item = { .number = 5, .name = "five" };
    if (!what)
        return 0;
    switch (*what) {
    case 1: ret = queue.push(&got, 0); break;
    case 2: ret = queue.push(&got, BPF_EXIST); break;
    case 3: ret = queue.pop(&got); break;
    case 4: ret = queue.peek(&got); break;
    case 5: ret = stack.push(&item, 0); break;
    case 6: ret = stack.pop(&item); got = item.number; break;
    }
    result.update(&zero, &ret);
    value.update(&zero, &got);
    return 0;
}]]) })

local function order(what)
    b.order[0] = what
    getpgid.call()
    b.order[0] = 0
    return tonumber(b.result[0]), b.value[0]
end

t.test("a queue gives the oldest first", function()
    t.equal(b.queue:pop(), nil)
    t.equal(b.queue:peek(), nil)
    for i = 1, 4 do
        b.queue:push(i)
    end
    t.contains(t.fails(function() b.queue:push(5) end), "cannot push to map `queue`: it is full (4 elements) (E2BIG)")
    b.queue:push(5, 2)
    t.equal(b.queue:peek(), 2ULL)
    t.equal(b.queue:pop(), 2ULL)
    local left = {}
    for one in b.queue:values() do
        left[#left + 1] = tonumber(one)
    end
    t.equal(table.concat(left, " "), "3 4 5")
    t.equal(b.queue:pop(), nil)
end)

t.test("a program pushes, pops and peeks", function()
    local E2BIG, ENOENT = -7, -2
    t.equal(order(3), ENOENT)
    t.equal(order(4), ENOENT)
    for _ = 1, 4 do
        t.equal(order(1), 0)
    end
    t.equal(order(1), E2BIG)
    t.equal(order(2), 0)
    t.equal(b.queue:pop(), 77ULL)
    b.queue:push(1)
    for _ = 1, 3 do
        b.queue:pop()
    end
    local ret, got = order(4)
    t.equal(ret, 0)
    t.equal(got, 1ULL)
    ret, got = order(3)
    t.equal(got, 1ULL)
    t.equal(order(3), ENOENT)
end)

t.test("a stack gives the newest first", function()
    b.stack:push({ number = 1, name = "one" })
    t.equal(order(5), 0)
    t.equal(b.stack:peek().number, 5)
    t.equal(("%s"):format(b.stack:pop().name), "five")
    local ret, got = order(6)
    t.equal(ret, 0)
    t.equal(got, 1ULL)
    t.equal(b.stack:pop(), nil)
end)

t.test("queues have no keys, other maps no push", function()
    t.contains(t.fails(function() return b.queue[1] end), "cannot look up a key of map `queue`: a queue has no keys; it has `push`, `pop` and `peek`")
    t.contains(t.fails(function() b.queue:items() end), "a queue has no keys")
    t.contains(t.fails(function() b.order:push(1) end), "cannot call `push` on map `order`: it is of type array, not queue or stack")
    t.contains(t.fails(function() b.order:pop() end), "it is of type array")
    t.contains(t.fails(function() b.queue:push("x") end), "value of `queue` does not take")
end)

-- Fills an empty map with ten numbers, one too many, and takes them out again, in the order that is its own.
local function ten(map, first, step)
    for i = 0, 9 do
        map:push(i)
    end
    t.contains(t.fails(function() map:push(10) end), "it is full (10 elements)")
    t.equal(map:peek(), 0ULL + first)
    for i = 0, 9 do
        t.equal(map:pop(), 0ULL + first + step * i)
    end
    t.equal(map:peek(), nil)
    t.equal(map:pop(), nil)
    for i = 0, 9 do
        map:push(i)
    end
    local i = 0
    for value in map:values() do
        t.equal(value, 0ULL + first + step * i)
        i = i + 1
    end
    t.equal(i, 10)
end

local tens = BPF({ text = "BPF_STACK(last, u64, 10); BPF_QUEUE(first, u64, 10);" })
t.test("ten numbers on a stack", function() ten(tens.last, 9, -1) end)
t.test("ten numbers in a queue", function() ten(tens.first, 0, 1) end)
