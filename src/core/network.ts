/** One request, one response. A Hono app's `fetch` has this shape, so a test's registry needs no socket. */
export type Network = (request: Request) => Response | Promise<Response>;

/** How a connection is made. Every field absent: the defaults of the host, with its proxy variables. */
export interface NetworkOptions {
  /** PEM texts of certificate authorities that count beside the host's own. */
  readonly caCerts?: readonly string[];
  /** Client certificate and key, PEM. */
  readonly clientCert?: { readonly cert: string; readonly key: string };
  readonly proxy?: { readonly url: string; readonly username?: string; readonly password?: string };
  /** Accept any server certificate. */
  readonly skipVerify?: boolean;
  /** HTTP version: blobs are faster over HTTP/1.1, many small requests over HTTP/2. Default `1.1`. */
  readonly http?: "1.1" | "2";
}

/** A network whose connections stay open until it is disposed. */
export interface OpenNetwork extends Disposable {
  readonly send: Network;
}

/** Makes networks. One per distinct set of options is enough: connections are reused inside it. */
export type Connect = (options: NetworkOptions) => OpenNetwork;

/** Addresses of a host name as the host's resolver gives them. @throws when the name is not known */
export type Lookup = (host: string) => Promise<readonly string[]>;
