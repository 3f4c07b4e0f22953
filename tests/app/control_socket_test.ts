import { deepEqual } from "node:assert/strict";
import { ControlSocket } from "../../src/app/control_socket.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";

Deno.test("ControlSocket serves again when its file was removed, and only then", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/var");
  const told: string[] = [];
  let served = 0;
  const socket = await ControlSocket.open(() => new Response(), "/var/control.sock", {
    fileSystem: disk.fileSystem,
    serve: async (_, path) => {
      const number = ++served;
      await disk.fileSystem.writeAtomic(path, "");
      told.push(`serve ${number}`);
      return { address: path, close: (graceMs) => Promise.resolve(void told.push(`close ${number} ${graceMs}`)) };
    },
  });
  await socket.restore();
  await disk.fileSystem.remove("/var/control.sock");
  await socket.restore();
  await socket.restore();
  await socket.close(500);
  deepEqual(told, ["serve 1", "close 1 0", "serve 2", "close 2 500"]);
});
