import { problemText } from "../config/problem.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import { openLog } from "../platform/log_writer.ts";
import { Redactor } from "../report/redact.ts";
import { stateOf, StatusBoard } from "../report/status_board.ts";
import type { Preview, Refused, WorkOptions } from "./work.ts";
import { readConfig } from "./check_documents.ts";
import { hideInChange, hideInResource } from "./hidden_values.ts";
import { openLoop } from "./loop.ts";
import { cutShort, timeLimit } from "./time_limit.ts";
import { PreviewTarget } from "./preview.ts";

/** Runs one pass over targets that only take notes. Values of Secrets are hidden in what it gives, unless `showsSecrets`. */
export async function runPreview(
  options: WorkOptions & { readonly timeoutMs: number; readonly plans: boolean; readonly showsSecrets?: boolean },
  signal: AbortSignal,
): Promise<Preview | Refused> {
  const read = await readConfig(options.configPaths, options.flags);
  if (read.kind === "refused") return read;
  const { config, settings } = read;
  using log = openLog({ ...settings.log, level: "error", format: "text" });
  const board = new StatusBoard({ log: { ...log, error: () => {} }, meter: { count: () => {}, forget: () => {} } });
  const redactor = new Redactor();
  const hide = (text: string) => options.showsSecrets === true ? text : redactor.hide(text);
  const targets: PreviewTarget[] = [];
  const explained: { readonly owner: ObjectKey; readonly text: string }[] = [];
  await using loop = await openLoop({
    settings,
    onExplained: (owner, text) => void explained.push({ owner, text }),
    desired: config.desired,
    log,
    reporter: board,
    onSecrets: (values) => {
      board.hide(values);
      redactor.learn(values);
    },
    clean: (text) => board.clean(text),
    preview: (target) => {
      const preview = new PreviewTarget(target, options.plans);
      targets.push(preview);
      return preview;
    },
  });
  loop.update(config.desired);
  using limit = timeLimit(options.timeoutMs, signal);
  const isCutShort = await cutShort(loop.engine.settled(), limit.signal);
  signal.throwIfAborted();
  const statuses = board.statuses();
  const order = new Map(statuses.map((status, index) => [keyText(status.key), index]));
  const byObject = <One extends { readonly owner: Parameters<typeof keyText>[0] }>(list: readonly One[]) =>
    [...list].sort((a, b) => (order.get(keyText(a.owner)) ?? 0) - (order.get(keyText(b.owner)) ?? 0));
  return {
    kind: "done",
    isCutShort,
    problems: config.problems.filter((problem) => problem.severity === "error").map(problemText),
    statuses,
    failing: statuses.filter((status) => ["failing", "working"].includes(stateOf(status))),
    rendered: byObject(targets.flatMap((target) => [...target.rendered.values()])).map((one) => ({
      ...one,
      resources: one.resources.map((resource) => hideInResource(resource, hide)),
    })),
    planned: byObject(targets.flatMap((target) => [...target.planned.values()])).map((one) => ({
      ...one,
      changes: one.changes.map((change) => hideInChange(change, hide)),
    })),
    explained: byObject(explained).map((one) => ({ ...one, text: hide(one.text) })),
  };
}
