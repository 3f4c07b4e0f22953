import type { Environment } from "@marcbachmann/cel-js";

/** Functions of cel-go v0.26's ext strings, sets, encoders and optionals that the type checker does not know by itself. */
const signatures: readonly string[] = [
  "matches(string, string): bool",
  "string(google.protobuf.Duration): string",
  "string(google.protobuf.Timestamp): string",
  "int(google.protobuf.Timestamp): int",
  "int(google.protobuf.Duration): int",
  "string.charAt(int): string",
  "string.replace(string, string): string",
  "string.replace(string, string, int): string",
  "string.reverse(): string",
  "string.format(list): string",
  "list.first(): optional<dyn>",
  "list.last(): optional<dyn>",
  "OptionalNamespace.ofNonZeroValue(dyn): optional<dyn>",
];

class Namespace {}

/** Functions that stand in a namespace, by its name. */
const namespaces: Readonly<Record<string, readonly string[]>> = {
  sets: ["contains(list, list): bool", "equivalent(list, list): bool", "intersects(list, list): bool"],
  base64: ["encode(bytes): string", "decode(string): bytes"],
  strings: ["quote(string): string"],
};

/** Makes the functions known to a type checker. They are never called. */
export function registerSignatures(environment: Environment): void {
  for (const signature of signatures) environment.registerFunction(signature, () => null);
  for (const [name, members] of Object.entries(namespaces)) {
    const type = `${name}Namespace`;
    const Holder = class extends Namespace {};
    environment.registerType(type, Holder);
    environment.registerConstant(name, type, new Holder());
    for (const member of members) environment.registerFunction(`${type}.${member}`, () => null);
  }
}
