import { goTypes } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import type { GoObject } from "../template/value.ts";

/** What templates get as a certificate: `.Cert` and `.Key`, both PEM (sprig 3.3.0, crypto.go). */
export const certificateType: GoType<GoObject> = {
  kind: "struct",
  name: "sprig.certificate",
  fields: [{ name: "Cert", type: goTypes.string }, { name: "Key", type: goTypes.string }],
};
