import { type Command, helpOf } from "./command.ts";

/** `pilotfish build`: `kustomize build` with our engine: same text, same flags. */
export const build: Command = {
  name: "build",
  usage: "PATH|oci://REFERENCE[//PATH] [kustomize's flags]",
  summary: "Print what `kustomize build PATH` prints",
  details: "Flags of kustomize: -o/--output, --load-restrictor, --reorder, --enable-helm, --helm-kube-version,\n" +
    "--helm-api-versions; ours: --allow-http, --creds USER:PASSWORD, --insecure, --ca-file PATH.\n" +
    "Example: pilotfish build ./overlays/edge",
  flags: [],
  ownSyntax: true,
  async run(invocation, { app, console }) {
    if (invocation.raw.some((word) => word === "--help" || word === "-h")) {
      console.out(helpOf(build));
      return 0;
    }
    const printed = await app.build(invocation.raw);
    console.out(printed.stdout);
    console.err(printed.stderr);
    return printed.exitCode;
  },
};
