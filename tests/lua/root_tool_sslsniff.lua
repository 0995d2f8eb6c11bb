-- SPDX-License-Identifier: Apache-2.0
-- sslsniff: what both ends of a TLS connection inside this process send and receive, by both pairs of OpenSSL's functions.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef([[
    void *TLS_method(void);
    void *SSL_CTX_new(void *method);
    long SSL_CTX_ctrl(void *context, int command, long number, void *pointer);
    int SSL_CTX_set_cipher_list(void *context, const char *list);
    void *SSL_new(void *context);
    void SSL_set_bio(void *session, void *read, void *write);
    void SSL_set_accept_state(void *session);
    void SSL_set_connect_state(void *session);
    int SSL_do_handshake(void *session);
    int SSL_write(void *session, const void *data, int size);
    int SSL_read(void *session, void *data, int size);
    int SSL_write_ex(void *session, const void *data, size_t size, size_t *written);
    int SSL_read_ex(void *session, void *data, size_t size, size_t *read);
    int BIO_new_bio_pair(void **one, size_t size, void **other, size_t size_of_other);
    int getpid(void);
]])

local has_ssl, ssl = pcall(ffi.load, "libssl.so.3")
local lacking = not has_ssl and "there is no libssl.so.3"

-- Two sessions that are connected with each other, without certificates.
local function sessions()
    local context = ssl.SSL_CTX_new(ssl.TLS_method())
    ssl.SSL_CTX_ctrl(context, 124, 0x0303, nil) -- SSL_CTRL_SET_MAX_PROTO_VERSION: TLS 1.2, the last with such ciphers
    assert(ssl.SSL_CTX_set_cipher_list(context, "AECDH-AES128-SHA:@SECLEVEL=0") == 1)
    local one, other = ffi.new("void *[1]"), ffi.new("void *[1]")
    assert(ffi.load("libcrypto.so.3").BIO_new_bio_pair(one, 65536, other, 65536) == 1)
    local client, server = ssl.SSL_new(context), ssl.SSL_new(context)
    ssl.SSL_set_bio(client, one[0], one[0])
    ssl.SSL_set_bio(server, other[0], other[0])
    ssl.SSL_set_connect_state(client)
    ssl.SSL_set_accept_state(server)
    local done = false
    for _ = 1, 10 do
        local first = ssl.SSL_do_handshake(client)
        done = done or ssl.SSL_do_handshake(server) == 1 and first == 1
    end
    assert(done, "no handshake")
    return client, server
end

local pid = ffi.C.getpid()

t.test_unless(lacking, "what is sent and received", function()
    local found = tool.run("sslsniff", { "--json", "-x", "-l", "--handshake", "-p", pid, "-g", "-n" }, function(running)
        local client, server = sessions()
        local buffer, count = ffi.new("char[20000]"), ffi.new("size_t[1]")
        assert(ssl.SSL_write(client, "a request", 9) == 9)
        assert(ssl.SSL_read(server, buffer, 100) == 9)
        assert(ssl.SSL_read(server, buffer, 100) < 0) -- nothing there
        assert(ssl.SSL_write_ex(server, ("y"):rep(10000), 10000, count) == 1)
        assert(ssl.SSL_read_ex(client, buffer, 20000, count) == 1)
        running:sees('"READ/RECV"[^\n]*"len":10000')
    end)
    local sent = found:row({ func = "WRITE/SEND", data = "a request", len = 9 })
    t.equal(sent.pid .. sent.comm .. sent.uid, pid .. "bpflua0")
    t.equal(sent.tid, pid)
    assert(sent.latency > 0 and sent.latency < 60000)
    found:row({ func = "READ/RECV", data = "a request", len = 9 })
    for _, func in ipairs({ "WRITE/SEND", "READ/RECV" }) do
        t.equal(found:row({ func = func, len = 10000 }).data, ("y"):rep(8192))
    end
    assert(found:row({ func = "HANDSHAKE" }).latency > 0)
    for _, row in ipairs(found:rows()) do
        assert(row.func == "HANDSHAKE" or row.len == 9 or row.len == 10000, json.encode(row))
    end
end)

t.test_unless(lacking, "as text, some bytes in hexadecimal, by the name", function()
    local found = tool.run("sslsniff", { "-c", "bpflua", "--hexdump", "--max-buffer-size", "4" }, function(running)
        local client = sessions()
        assert(ssl.SSL_write(client, "a request", 9) == 9)
        running:sees("END DATA")
    end)
    local pattern = "^FUNC         TIME%%(s%%)            COMM             PID     LEN *\nWRITE/SEND   0%%.000000000        bpflua           %-7d 9 *\n"
    assert(found.out:find(pattern:format(pid)), found.out)
    t.contains(found.out, "    ----- DATA -----\n    61207265\n    ----- END DATA (5 bytes more) -----\n")
end)

t.test_unless(lacking, "nothing to trace, a library of no kind", function()
    local none = tool.start("sslsniff", { "-o", "-g", "-n" }):finish(false)
    t.equal(none.status, 1)
    t.contains(none.err, "this system has none of the libraries that are asked for")
    t.contains(tool.start("sslsniff", { "--extra-lib", "ssl:/x" }):finish(false).err, "`ssl:/x` of --extra-lib names no library")
end)
