/**
 * The one extension shape: a named thing, made from a checked spec. A provider lives in a file of its own and stands in
 * its room's list with one line; from that line follow the config schema, the error that lists the known names and the
 * reference page.
 */
export interface Provider<Spec, Tools, Made> {
  readonly name: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** Makes the thing. Must not go outside yet. @throws {StageError} when the spec cannot work */
  create(spec: Spec, tools: Tools): Made;
}

/** Checks the shape of a provider at the place where it is written. */
export function defineProvider<Spec, Tools, Made>(provider: Provider<Spec, Tools, Made>): Provider<Spec, Tools, Made> {
  return provider;
}

/** Provider by name, or `undefined`. */
export function findProvider<Spec, Tools, Made>(
  providers: readonly Provider<Spec, Tools, Made>[],
  name: string,
): Provider<Spec, Tools, Made> | undefined {
  return providers.find((provider) => provider.name === name);
}
