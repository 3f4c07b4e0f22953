import type { Command } from "./command.ts";
import { configFlag, settingsFlags, settingsOf } from "./shared_flags.ts";

/** `pilotfish run`: the daemon. */
export const run: Command = {
  name: "run",
  usage: "",
  summary: "Run the daemon",
  details: "Example: pilotfish run --config /etc/pilotfish --target directory:/srv/out\n" +
    "SIGHUP reads the documents again, SIGTERM ends it within its deadline, a second SIGTERM at once.",
  flags: [configFlag, ...settingsFlags],
  run: (invocation, { app, signal }) =>
    app.run({ configPaths: invocation.list("config"), flags: settingsOf(invocation) }, signal),
};
