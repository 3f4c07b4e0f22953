import { condition } from "../core/condition.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { ObjectStatus } from "../core/status.ts";
import { type NumberedEvent, stateOf } from "./status_board.ts";

/** Events on a page. */
const mostEvents = 30;
/** Levels of the tree that are drawn; objects out of artifacts nest eight deep at most. */
const deepestTree = 12;

/** Objects, a row each; on a narrow screen a row is a block. */
export function ObjectTable(
  { statuses, nowMs }: { readonly statuses: readonly ObjectStatus[]; readonly nowMs: number },
) {
  return (
    <table class="blocks">
      <thead>
        <tr>
          <th>State</th>
          <th>Name</th>
          <th>Kind</th>
          <th>Namespace</th>
          <th>Revision</th>
          <th>Reason</th>
          <th class="since">Since</th>
        </tr>
      </thead>
      {statuses.map((status) => {
        const ready = condition(status.conditions, "Ready");
        const state = stateOf(status);
        const revision = status.artifact?.revision ?? status.lastAppliedRevision ?? "";
        return (
          <tbody class={state}>
            <tr>
              <td>
                <StateMark status={status} />
              </td>
              <td class="name">
                <ObjectLink of={status.key} />
              </td>
              <td>{status.key.kind}</td>
              <td>{status.key.namespace}</td>
              <td class="mono" title={revision}>{shortRevision(revision)}</td>
              <td>{ready?.reason ?? ""}</td>
              <td class="since">{ready === undefined ? "" : age(ready.lastTransitionTime, nowMs)}</td>
            </tr>
            <tr class="more">
              <td></td>
              <td colspan={6} class="message">
                <Message text={ready?.message ?? "waiting for its first run"} />
                {state === "failing" && status.hint !== undefined ? <span class="advice">{status.hint}</span> : null}
              </td>
            </tr>
          </tbody>
        );
      })}
    </table>
  );
}

/** The last events, newest first. */
export function Events({ events, nowMs }: { readonly events: readonly NumberedEvent[]; readonly nowMs: number }) {
  if (events.length === 0) {
    return (
      <div class="card">
        <p class="empty">Nothing happened yet.</p>
      </div>
    );
  }
  const newest = [...events].sort((a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp) || b.id - a.id);
  return (
    <div class="card">
      <table class="blocks">
        <tbody>
          {newest.slice(0, mostEvents).map((event) => (
            <tr>
              <td class={`reason ${event.severity === "error" ? "failing" : ""}`}>{event.reason}</td>
              <td class="name">
                <ObjectLink of={event.object} />
              </td>
              <td class="message">
                <Message text={event.message} />
                {event.count > 1 ? <span class="times">{event.count} times</span> : null}
              </td>
              <td class="since">{age(event.timestamp, nowMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/**
 * Objects below what they come from: consumers below their source, objects out of an artifact below the object that
 * brought them. What names a source or parent that is not there stands at the root.
 */
export function Tree({ statuses }: { readonly statuses: readonly ObjectStatus[] }) {
  const known = new Set(statuses.map((status) => keyText(status.key)));
  const below = new Map<string, ObjectStatus[]>();
  const roots: ObjectStatus[] = [];
  for (const status of statuses) {
    const above = [status.parent, status.source].find((key) => key !== undefined && known.has(keyText(key)));
    if (above === undefined) roots.push(status);
    else {
      const list = below.get(keyText(above));
      if (list === undefined) below.set(keyText(above), [status]);
      else list.push(status);
    }
  }
  return <Branch statuses={roots} below={below} depth={0} />;
}

function Branch(
  { statuses, below, depth }: {
    readonly statuses: readonly ObjectStatus[];
    readonly below: ReadonlyMap<string, readonly ObjectStatus[]>;
    readonly depth: number;
  },
) {
  return (
    <ul class="tree">
      {statuses.map((status) => {
        const inner = depth < deepestTree ? below.get(keyText(status.key)) ?? [] : [];
        return (
          <li>
            <span class={`dot ${stateOf(status)}`} title={stateOf(status)}></span>
            <ObjectLink of={status.key} /> <span class="soft">{status.key.kind} · {status.key.namespace}</span>
            {inner.length === 0 ? null : <Branch statuses={inner} below={below} depth={depth + 1} />}
          </li>
        );
      })}
    </ul>
  );
}

/** State of an object, as a word with a coloured dot. */
export function StateMark({ status }: { readonly status: ObjectStatus }) {
  const state = stateOf(status);
  return <span class={`state ${state}`}>{state}</span>;
}

/** Link to an object's page. */
export function ObjectLink({ of }: { readonly of: ObjectKey }) {
  const parts = [of.kind, of.namespace, of.name].map(encodeURIComponent);
  return <a href={`/objects/${parts.join("/")}`}>{of.name}</a>;
}

/** Lines of a file with a caret below, as errors show them. */
const excerpt = /((?:^[ \t\d]*\|.*\n?)+)/m;

/** A message with digests cut short; the whole stands in its title. Lines of a file keep their columns. */
export function Message({ text }: { readonly text: string }) {
  const short = shortRevision(text);
  return (
    <span class="text" {...(short === text ? {} : { title: text })}>
      {short.split(excerpt).map((part, index) => index % 2 === 0 ? part : <code>{part}</code>)}
    </span>
  );
}

/** One line of a list of facts; nothing where the fact is not known. */
export function Row(
  { label, value, mono }: { readonly label: string; readonly value: string | undefined; readonly mono?: boolean },
) {
  if (value === undefined || value === "") return null;
  return (
    <>
      <dt>{label}</dt>
      <dd class={mono === true ? "mono" : ""}>{value}</dd>
    </>
  );
}

/** A text with every digest cut to eight digits. */
export function shortRevision(text: string): string {
  return text.replaceAll(/(sha(?:256|512):[0-9a-f]{8})[0-9a-f]+/g, "$1");
}

/** Time since a moment, as kubectl prints it. */
export function age(time: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
