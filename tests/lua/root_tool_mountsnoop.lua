-- SPDX-License-Identifier: Apache-2.0
-- mountsnoop: calls with their arguments, in the old and the new way, and what fails.

local t = require("harness")
local tool = require("help.tool")

t.test("mount and umount with their arguments", function()
    local folder = tool.sh("mktemp -d"):gsub("\n", "")
    local pid
    local found = tool.run("mountsnoop", { "--json", "-P" }, function(running)
        -- Calls of perl's own: mount(8) may use either way.
        pid = tonumber(tool.sh(([[perl -e '
            my ($mount, $umount) = `uname -m` =~ /x86_64/ ? (165, 166) : (40, 39);
            my ($source, $folder, $type, $data) = ("some\"thing", $ARGV[0], "tmpfs", "size=1m");
            print $$;
            syscall($mount, $source, $folder, $type, 1 | 2, $data);
            syscall($umount, $folder, 2);
            syscall($umount, $folder, 0);' %s]]):format(folder)))
        running:sees("umount2%(.-, 0%)")
    end)
    os.execute("rmdir " .. folder)
    local row = found:row({ pid = pid, call = ([[mount("some\"thing", "%s", "tmpfs", MS_RDONLY|MS_NOSUID, "size=1m") = 0]]):format(folder) })
    t.equal(row.comm, "perl")
    t.equal(row.ret, 0)
    t.equal(row.mnt_ns, tonumber(tool.sh("readlink /proc/self/ns/mnt"):match("%d+")))
    assert(row.ppid > 0 and #row.pcomm > 0)
    t.equal(found:row({ pid = pid, call = ([[umount2("%s", MNT_DETACH) = 0]]):format(folder) }).ret, 0)
    t.equal(found:row({ pid = pid, call = ([[umount2("%s", 0) = -EINVAL]]):format(folder) }).ret, -22)
end)

t.test("the new calls", function()
    local found = tool.run("mountsnoop", {}, function(running)
        -- fsopen(2) has this number on every machine.
        tool.sh([[perl -e 'my $type = "no-such-type"; syscall(430, $type, 1)']])
        running:sees("fsopen")
    end)
    t.contains(found.out, 'fsopen("no-such-type", 0x1) = -ENODEV\n')
    assert(not found.out:find("PPID"), found.out)
end)
