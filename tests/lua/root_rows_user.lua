-- SPDX-License-Identifier: Apache-2.0
-- User memory where a text only dereferences: at the entry and return of functions of this very process, whose memory is
-- read here, too. Structures with pointers, arrays of pointers, pointers kept from entry to return, macros, functions.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
int getpid(void);
typedef long rows_time_t;
struct rows_tm { int sec, min, hour, mday, mon, year, wday, yday, isdst; long off; const char *zone; };
struct rows_tm *gmtime_r(const rows_time_t *time, struct rows_tm *into);
int getopt(int argc, char **argv, const char *wanted);
extern int optind, opterr;
typedef struct { int quot, rem; } rows_div_t;
char *strsep(char **text, const char *delimiters);
void *memchr(const void *bytes, int c, size_t size);
]])

local C, PID = ffi.C, ffi.C.getpid()

local function open(text)
    return BPF({ text = "#define MINE (bpf_get_current_pid_tgid() >> 32 == " .. PID .. ")\n" .. text })
end

t.test("a structure filled in between entry and return", function()
    local b = open([[
struct tm { int sec, min, hour, mday, mon, year, wday, yday, isdst; long off; const char *zone; };
struct seen_t { s64 when; int year, yday, offset_is_0; char zone[4]; };
BPF_HASH(places, u32, struct tm *);
BPF_ARRAY(seen, struct seen_t, 1);

int enter(struct pt_regs *ctx, const s64 *when, struct tm *into)
{
	u32 thread = bpf_get_current_pid_tgid();
	struct seen_t *s = seen.lookup(&(int){0});

	if (!MINE || !s)
		return 0;
	s->when = *when;
	places.update(&thread, &into);
	return 0;
}

static struct tm *kept(u32 thread)
{
	struct tm **place = places.lookup(&thread);

	return place ? *place : 0;
}

#define YEAR(p) ((p)->year + 1900)

int leave(struct pt_regs *ctx)
{
	struct tm *into = kept(bpf_get_current_pid_tgid());
	struct seen_t *s = seen.lookup(&(int){0});

	if (!into || !s)
		return 0;
	s->year = YEAR(into);
	s->yday = into->yday;
	s->offset_is_0 = !into->off;
	for (int i = 0; i < 3; i++)
		s->zone[i] = into->zone[i];
	return 0;
}
]])
    b:attach_uprobe({ name = "c", sym = "gmtime_r", fn_name = "enter" })
    b:attach_uretprobe({ name = "c", sym = "gmtime_r", fn_name = "leave" })
    local when, into = ffi.new("rows_time_t[1]", 951827696LL), ffi.new("struct rows_tm")
    C.gmtime_r(when, into)
    local s = b.seen[0]
    t.equal(tostring(s.when), "951827696LL")
    t.equal(tonumber(s.year), into.year + 1900)
    t.equal(tonumber(s.yday), into.yday)
    t.equal(tonumber(s.offset_is_0), 1)
    t.equal(ffi.string(s.zone), ffi.string(into.zone))
    b:cleanup()
end)

t.test("arrays of pointers to text", function()
    local b = open([[
struct seen_t { int argc; char first[2], third[3]; char whole[16], wanted[8]; };
BPF_ARRAY(seen, struct seen_t, 1);

int at_getopt(struct pt_regs *ctx, int argc, char **argv, const char *wanted)
{
	struct seen_t *s = seen.lookup(&(int){0});
	char **end;

	if (!MINE || !s)
		return 0;
	s->argc = argc;
	s->first[0] = argv[0][0];
	s->first[1] = (*argv)[1];
	s->third[0] = *argv  [ 2 ];
	s->third[1] = *(argv[2] + 1);
	end = argv + argc - 1;
	s->third[2] = **end;
	bpf_probe_read_user_str(s->whole, sizeof(s->whole), argv[1]);
	for (int i = 0; i < 7 && wanted[i]; i++)
		s->wanted[i] = wanted[i];
	return 0;
}
]])
    b:attach_uprobe({ name = "c", sym = "getopt", fn_name = "at_getopt" })
    local words = { "name", "-v", "xyz", "last" }
    local argv = ffi.new("char *[5]")
    local kept = {}
    for i, word in ipairs(words) do
        kept[i] = ffi.new("char[?]", #word + 1, word)
        argv[i - 1] = kept[i]
    end
    C.getopt(4, argv, "vq:")
    local s = b.seen[0]
    t.equal(tonumber(s.argc), 4)
    t.equal(ffi.string(s.first, 2), "na")
    t.equal(ffi.string(s.third, 3), "xyl")
    t.equal(ffi.string(s.whole), "-v")
    t.equal(ffi.string(s.wanted), "vq:")
    b:cleanup()
end)

t.test("a pointer to a pointer that the function moves", function()
    local b = open([[
BPF_HASH(places, u32, u64);
BPF_ARRAY(moved, u64, 4);
int enter(struct pt_regs *ctx, char **text) {
	u32 thread = bpf_get_current_pid_tgid();
	u64 place = (u64)text, before = (u64)*text;
	if (!MINE) return 0;
	places.update(&thread, &place);
	moved.update(&(int){0}, &before);
	return 0;
}
int leave(struct pt_regs *ctx) {
	u32 thread = bpf_get_current_pid_tgid();
	u64 *place = places.lookup(&thread), token = PT_REGS_RC(ctx), after, c;
	if (!place) return 0;
	after = (u64)*(char **)*place;
	c = *(char *)token;
	moved.update(&(int){1}, &after);
	moved.update(&(int){2}, &token);
	moved.update(&(int){3}, &c);
	return 0;
}]])
    b:attach_uprobe({ name = "c", sym = "strsep", fn_name = "enter" })
    b:attach_uretprobe({ name = "c", sym = "strsep", fn_name = "leave" })
    local text = ffi.new("char[8]", "ab,cd")
    local at = ffi.new("char *[1]", text)
    C.strsep(at, ",")
    local start = ffi.cast("uint64_t", text)
    t.equal(b.moved[0], start)
    t.equal(b.moved[1], start + 3)
    t.equal(b.moved[2], start)
    t.equal(tonumber(b.moved[3]), ("a"):byte())
    b:cleanup()
end)
