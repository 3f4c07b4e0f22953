/**
 * Names under which an inventory remembers in which other cluster its entries stand: the address, and the cluster's own id where
 * it told one; "" is the cluster that keeps the inventory.
 *
 * @module
 */

/** Name of a cluster. @param id what `ClusterIdentity` read */
export function clusterName(address: string, id: string): string {
  const uid = /^cluster ([^\s]+)$/.exec(id)?.[1];
  return uid === undefined ? address : `${address} ${uid}`;
}

/** The address in a name. */
export function addressOf(name: string): string {
  return name.split(" ")[0] ?? "";
}

/**
 * Whether two names are of one cluster: by their ids where both have one, since an address may come to lead elsewhere, and a
 * cluster may get another address.
 */
export function isSameCluster(a: string, b: string): boolean {
  const [addressA = "", idA] = a.split(" ");
  const [addressB = "", idB] = b.split(" ");
  if (addressA === "" || addressB === "") return addressA === addressB;
  return idA === undefined || idB === undefined ? addressA === addressB : idA === idB;
}
