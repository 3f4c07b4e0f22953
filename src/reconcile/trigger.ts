/** Why an object runs. */
export type Trigger =
  | "start"
  | "config"
  | "interval"
  | "retry"
  | "revision"
  | "dependency"
  | "reference"
  | "drift"
  | "request";

/** How urgent a run is: 0 before 1 before 2. */
export function urgencyOf(trigger: Trigger): 0 | 1 | 2 {
  switch (trigger) {
    case "request":
    case "config":
    case "revision":
    case "drift":
      return 0;
    case "start":
    case "dependency":
    case "reference":
      return 1;
    case "retry":
    case "interval":
      return 2;
  }
}

/** The trigger of a run that two ask for: a person's order is never lost, then the more urgent one counts. */
export function stronger(a: Trigger, b: Trigger): Trigger {
  if (a === "request" || b === "request") return "request";
  return urgencyOf(b) < urgencyOf(a) ? b : a;
}

/** Whether a run that is under way is of no use any more: what it builds from has changed. */
export function replacesRun(trigger: Trigger): boolean {
  return trigger === "revision" || trigger === "config";
}
