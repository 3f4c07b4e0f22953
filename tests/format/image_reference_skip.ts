/** Cases of `vectors/registry/references.json` that are read differently on purpose, with the reason. */
export const skippedReferences: Readonly<Record<string, string>> = {
  "GHCR.io/org/app": "host names are lower-cased: logins are looked up by them",
  "MyHost/app": "a name without a dot or port is no registry, also in upper case (as go-containerregistry has it)",
  [`ghcr.io/org/app@sha512:${"b".repeat(128)}`]: "sha512 is accepted (image-spec, registered algorithms)",
  "ghcr.io:0/a": "ports are checked",
  "ghcr.io:65536/a": "ports are checked",
  "a_b.io/x": "an underscore in a host name is refused instead of leaving the registry empty",
  "registry-1.docker.io/library/a": "Docker Hub has one name",
  "registry.hub.docker.com/library/a": "Docker Hub has one name",
};
