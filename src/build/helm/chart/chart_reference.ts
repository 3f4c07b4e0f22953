/** How a registry is talked to. */
export interface RegistryLogin {
  readonly plainHttp: boolean;
  readonly insecureSkipTlsVerify: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** A chart to pull from a registry. */
export interface ChartReference extends RegistryLogin {
  /** `oci://host/repository`, with a tag or digest where one is written. */
  readonly url: string;
  /** Version or range; "" for the newest. */
  readonly version: string;
}

/** A chart that was pulled. */
export interface PulledChart {
  /** The packed chart. */
  readonly bytes: Uint8Array;
  /** Where it was found: `host/repository:tag`, or `host/repository@digest`. */
  readonly name: string;
  /** Digest of its manifest. */
  readonly digest: string;
}
