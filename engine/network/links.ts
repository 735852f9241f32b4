/** Batches for ip(8): a bridge, and a container's pair of interfaces. Pure. */

/** @param bits of the subnet. The bridge's own hardware address is fixed, or it would change with its members. */
export function bridgeBatch(bridge: string, gateway: string, bits = 24): string {
  return [
    `link add name ${bridge} address ${hardwareAddress(gateway)} type bridge`,
    `address add ${gateway}/${bits} dev ${bridge}`,
    `link set dev ${bridge} up`,
    '',
  ].join('\n')
}

/** The host's half: one end on the bridge, the other as eth0 in the namespace of process `pid`. */
export function attachBatch(options: { link: string; bridge: string; pid: number; address: string }): string {
  const { link, bridge, pid, address } = options
  const mac = hardwareAddress(address)
  return [
    `link add name ${link} type veth peer name eth0 address ${mac} netns ${pid}`,
    `link set dev ${link} addrgenmode none`,
    `link set dev ${link} master ${bridge} up`,
    '',
  ].join('\n')
}

/** The container's half, to be run in its namespace. */
export function insideBatch(address: string, gateway: string, bits = 24): string {
  return [
    'link set dev lo up',
    `address add ${address}/${bits} dev eth0`,
    'link set dev eth0 up',
    `route add default via ${gateway}`,
    '',
  ].join('\n')
}

/** Follows from the address, so that neighbours' caches stay right when a container starts anew. */
export function hardwareAddress(address: string): string {
  return `0a:58:${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join(':')}`
}
