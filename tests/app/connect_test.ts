import { rejects } from "node:assert/strict";
import { connectDaemon } from "../../src/app/connect.ts";

// A client lives as long as its command.
Deno.test({
  name: "a client is led by documents that can be read, never to the daemon of another store",
  sanitizeResources: false,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "pilotfish-connect-" });
    try {
      await Deno.writeTextFile(
        `${folder}/settings.yaml`,
        [
          "apiVersion: pilotfish.dev/v1alpha1",
          "kind: Settings",
          "metadata: {name: p}",
          `spec: {control: {socket: ${folder}/own.sock}}`,
        ].join("\n"),
      );
      await Deno.writeTextFile(`${folder}/broken.yaml`, "a: [");

      const client = await connectDaemon({ configPaths: [folder] });
      await rejects(
        client.objects(),
        /Cannot reach the daemon at "[^"]*own.sock"/,
        "a broken document beside them is no matter",
      );
      await rejects(connectDaemon({ configPaths: [`${folder}/nothing`] }), {
        name: "UsageError",
        message: /there is no such file or folder/,
      });
      await rejects(connectDaemon({ configPaths: [`${folder}/broken.yaml`] }), { name: "UsageError" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
