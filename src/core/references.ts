/** A Secret's or ConfigMap's content. Keys of `data` are the object's keys; bytes are decoded. */
export interface ReferencedData {
  /** Secret type, for example `kubernetes.io/dockerconfigjson`; "" for a ConfigMap. */
  readonly type: string;
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/** What documents refer to by name: looked up in the documents first, then in the cluster. `undefined`: there is none. */
export interface References {
  secret(namespace: string, name: string): Promise<ReferencedData | undefined>;
  configMap(namespace: string, name: string): Promise<ReferencedData | undefined>;
  /** Names of the image pull secrets of a ServiceAccount. */
  imagePullSecrets(namespace: string, serviceAccount: string): Promise<readonly string[] | undefined>;
}
