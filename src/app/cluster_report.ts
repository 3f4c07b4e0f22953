import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/stage_error.ts";
import type { BoardNews, StatusBoard } from "../report/status_board.ts";
import type { ClusterReporter } from "../target/cluster/cluster_reporter.ts";

/** Milliseconds between tries to find the cluster. */
const againMs = 30_000;

/**
 * Passes the board's news on to the cluster, so that what is told there holds no secret either. News that come before the
 * cluster is found are not lost: the board is read then.
 *
 * @returns ends it, and tells that every object has been told
 */
export function reportToCluster(
  board: StatusBoard,
  open: () => Promise<ClusterReporter> | undefined,
  tools: { readonly clock: Clock; readonly log: Log },
): Disposable & { readonly allTold: () => void } {
  let reporter: ClusterReporter | undefined;
  let hasAllTold = false;
  let hasEnded = false;
  let cancel: (() => void) | undefined;
  const tell = (to: ClusterReporter, news: BoardNews) => {
    if (news.kind === "event") to.event(news.event);
    else if (news.kind === "status") to.status(news.status);
    else to.gone(news.key);
  };
  const connect = () => {
    open()?.then((opened) => {
      if (hasEnded) return;
      for (const status of board.statuses()) opened.status(status);
      for (const event of board.events()) opened.event(event);
      if (hasAllTold) opened.allTold();
      reporter = opened;
    }, (error: unknown) => {
      if (hasEnded) return;
      tools.log.warn("the cluster could not be told", { error: messageOf(error) });
      cancel = tools.clock.after(againMs, connect);
    });
  };
  const end = board.listen((news) => {
    if (reporter !== undefined) tell(reporter, news);
  });
  connect();
  return {
    allTold() {
      hasAllTold = true;
      reporter?.allTold();
    },
    [Symbol.dispose]() {
      hasEnded = true;
      cancel?.();
      end();
    },
  };
}
