import type { Event } from "../core/event.ts";
import type { ObjectStatus } from "../core/status.ts";

/** Shorter values are not searched for: they would blot out ordinary words. */
const shortestSecret = 8;
const mark = "***";

/**
 * Takes secrets out of texts for people: those it was told of, as they are and in base64, and what looks like one:
 * credentials in URLs, bearer and basic tokens, private keys. The last guard; messages should not hold them at all.
 */
export class Redactor {
  #known: readonly string[] = [];

  /** Values that must never appear. Replaces what was learnt before. Each line of a longer text counts for itself. */
  learn(values: Iterable<string>): void {
    const known = new Set<string>();
    for (const value of values) {
      const lines = value.split(/\r?\n/).map((line) => line.trim()).filter((line) => line.length >= shortestSecret);
      for (const line of [value.trim(), ...lines]) {
        if (line.length < shortestSecret) continue;
        known.add(line);
        known.add(JSON.stringify(line).slice(1, -1));
      }
      if (value.length >= shortestSecret) known.add(base64(value));
    }
    // Longer ones first, so that no rest of one is left behind.
    this.#known = [...known].sort((a, b) => b.length - a.length);
  }

  /** The text without the values it was told of; what only looks like a secret stays. For manifests, where any text may stand. */
  hide(text: string): string {
    let result = text;
    for (const secret of this.#known) {
      if (result.includes(secret)) result = result.replaceAll(secret, mark);
    }
    return result;
  }

  /** The text without secrets; the same text where there are none. */
  clean(text: string): string {
    return this.hide(text)
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${mark}@`)
      .replaceAll(/\b(bearer|basic) +[A-Za-z0-9+/_.~=-]{8,}/gi, `$1 ${mark}`)
      .replaceAll(/([?&](?:access_token|token|password|sig|signature|x-amz-[a-z-]*)=)[^&\s"']+/gi, `$1${mark}`)
      .replaceAll(
        /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g,
        `-----BEGIN $1----- ${mark}`,
      );
  }

  /** An event without secrets. */
  cleanEvent(event: Event): Event {
    return { ...event, message: this.clean(event.message), metadata: this.#cleanAll(event.metadata) };
  }

  /** A status without secrets: every text in it that may come from outside. */
  cleanStatus(status: ObjectStatus): ObjectStatus {
    const { artifact, health, hint } = status;
    return {
      ...status,
      conditions: status.conditions.map((one) => ({ ...one, message: this.clean(one.message) })),
      warnings: status.warnings.map((warning) => this.clean(warning)),
      ...(hint === undefined ? {} : { hint: this.clean(hint) }),
      ...(health === undefined ? {} : { health: health.map((one) => ({ ...one, message: this.clean(one.message) })) }),
      ...(artifact === undefined
        ? {}
        : { artifact: { ...artifact, url: this.clean(artifact.url), metadata: this.#cleanAll(artifact.metadata) } }),
    };
  }

  #cleanAll(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, this.clean(value)]));
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text.slice(0, 10_000)))).replace(/=+$/, "");
}
