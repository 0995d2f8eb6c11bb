-- SPDX-License-Identifier: Apache-2.0
-- What the programs in this folder are driven with. A driver says how far it came: attached, checked. That it compiles and
-- loads has been seen before.

local ffi = require("ffi")

ffi.cdef([[
int getpid(void);
int kill(int pid, int sig);
int unlink(const char *path);
int mkdir(const char *path, unsigned int mode);
int rmdir(const char *path);
int open(const char *path, int flags, ...);
int close(int fd);
long read(int fd, void *data, size_t size);
long write(int fd, const void *data, size_t size);
int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int socket(int domain, int type, int protocol);
int bind(int fd, const void *address, unsigned int size);
int listen(int fd, int backlog);
int connect(int fd, const void *address, unsigned int size);
int accept(int fd, void *address, unsigned int *size);
int getsockname(int fd, void *address, unsigned int *size);
int getsockopt(int fd, int level, int name, void *value, unsigned int *size);
int setsockopt(int fd, int level, int name, const void *value, unsigned int size);
long send(int fd, const void *data, size_t size, int flags);
long recv(int fd, void *data, size_t size, int flags);
long syscall(long number, ...);
char *strerror(int error);
struct in_address { uint16_t family; uint16_t port; uint8_t ip[4]; uint8_t zero[8]; };
struct timeval_ { long sec, usec; };
]])

local C = ffi.C
local M = { C = C, AF_INET = 2, AF_INET6 = 10, TCP = 1, UDP = 2 }

---The program of this name, its maps created and what its sections name attached.
function M.open(name, options)
    options = options or {}
    options.src_file = name .. ".bpf.c"
    M.bpf = BPF(options)
    return M.bpf
end

---All is attached.
function M.attached()
    print("step: attached")
end

---What was seen is what is true.
function M.checked(what)
    print("checked: " .. what)
end

---This kernel lacks what the program is for.
function M.lacks(what)
    print("lacks: " .. what)
    os.exit(0)
end

---Two values are the same.
function M.same(what, got, wanted)
    if type(got) == "cdata" or type(wanted) == "cdata" then
        if not (got == wanted) then
            error(("%s is %s, not %s"):format(what, tostring(got), tostring(wanted)), 2)
        end
    elseif got ~= wanted then
        error(("%s is %q, not %q"):format(what, tostring(got), tostring(wanted)), 2)
    end
end

---Does work until something is seen.
function M.until_seen(what, work, seen)
    for _ = 1, 2000 do
        work()
        BPF.sleep(0.01)
        if seen() then
            return
        end
    end
    error("never seen: " .. what, 2)
end

---The result of a system call, or an error with its words.
function M.sys(what, result)
    if result < 0 then
        error(("%s: %s"):format(what, ffi.string(C.strerror(ffi.errno()))), 2)
    end
    return result
end

---An IPv4 address of this machine's own.
function M.loopback(port)
    local address = ffi.new("struct in_address", { M.AF_INET })
    address.port = bit.bor(bit.lshift(bit.band(port, 0xff), 8), bit.rshift(port, 8))
    address.ip[0], address.ip[3] = 127, 1
    return address
end

local SIZE = ffi.sizeof("struct in_address")

---A socket that waits no longer than some seconds.
function M.socket(kind)
    local fd = M.sys("socket", C.socket(M.AF_INET, kind, 0))
    local limit = ffi.new("struct timeval_", 20, 0)
    M.sys("SO_RCVTIMEO", C.setsockopt(fd, 1, 20, limit, ffi.sizeof(limit)))
    local yes = ffi.new("int[1]", 1)
    C.setsockopt(fd, 1, 2, yes, 4)
    return fd
end

---A listening or receiving socket on a free port, and the port.
function M.server(kind)
    local fd = M.socket(kind)
    M.sys("bind", C.bind(fd, M.loopback(0), SIZE))
    if kind == M.TCP then
        M.sys("listen", C.listen(fd, 8))
    end
    return fd, M.port_of(fd)
end

---The port of a socket's own end.
function M.port_of(fd)
    local address, size = ffi.new("struct in_address"), ffi.new("unsigned int[1]", SIZE)
    M.sys("getsockname", C.getsockname(fd, address, size))
    return bit.bor(bit.lshift(bit.band(address.port, 0xff), 8), bit.rshift(address.port, 8))
end

---A socket connected to a port, or nil and the errno.
function M.connect(kind, port)
    local fd = M.socket(kind)
    if C.connect(fd, M.loopback(port), SIZE) ~= 0 then
        local errno = ffi.errno()
        C.close(fd)
        return nil, errno
    end
    return fd
end

---What a socket receives next; nil when nothing comes.
function M.receive(fd)
    local buffer = ffi.new("char[2048]")
    local count = C.recv(fd, buffer, 2048, 0)
    return count >= 0 and ffi.string(buffer, count) or nil
end

---A control group of our own that this process is in, with its descriptor.
function M.cgroup()
    local root
    for line in io.lines("/proc/mounts") do
        root = root or line:match("^%S+ (%S+) cgroup2 ")
    end
    local path = ("%s/bpflua-%d"):format(root, C.getpid())
    M.sys("mkdir " .. path, C.mkdir(path, 493))
    local function move(folder)
        local file = assert(io.open(folder .. "/cgroup.procs", "w"))
        file:write(tostring(C.getpid()))
        file:close()
    end
    move(path)
    M.leave_cgroup = function()
        move(root)
        C.rmdir(path)
    end
    return M.sys("open " .. path, C.open(path, 0x10000)), path
end

return M
