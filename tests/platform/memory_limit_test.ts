import { deepEqual, equal, ok } from "node:assert/strict";
import { memoryLimitFiles, privateBytes } from "../../src/platform/memory_limit.ts";

const always = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

Deno.test("memoryLimitFiles() names the group's file and those of the groups above, of both versions", () => {
  deepEqual(memoryLimitFiles("0::/system.slice/pilotfish.service\n"), [
    "/sys/fs/cgroup/system.slice/pilotfish.service/memory.max",
    "/sys/fs/cgroup/system.slice/memory.max",
    ...always,
  ]);
  deepEqual(memoryLimitFiles("5:cpu:/x\n4:hugetlb,memory:/docker/ab\n0::/\n"), [
    "/sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes",
    "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
    ...always,
  ]);
});

Deno.test("memoryLimitFiles() falls back on what every container shows", () => {
  deepEqual(memoryLimitFiles(""), always);
  deepEqual(memoryLimitFiles("0::/../../other"), always);
  deepEqual(memoryLimitFiles("no line of ours\n4:memory"), always);
});

Deno.test({
  name: "privateBytes() counts what a process has for itself, less than all that it holds",
  ignore: Deno.build.os !== "linux",
  fn() {
    const own = privateBytes("self") ?? 0;
    ok(own > 2 ** 20 && own < Deno.memoryUsage().rss, String(own));
    equal(privateBytes(2 ** 30), undefined);
  },
});
