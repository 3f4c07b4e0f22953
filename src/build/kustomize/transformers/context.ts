import type { CustomScopes } from "../identity.ts";
import type { Growth } from "../growth.ts";
import type { MergeSchema } from "../merge/schema.ts";

/** What every transformation of one build shares. */
export interface TransformContext {
  readonly schema: MergeSchema;
  readonly scopes: CustomScopes | undefined;
  /** What is put into resources counts here. */
  readonly growth: Growth;
}
