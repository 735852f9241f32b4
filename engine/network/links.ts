/** Batches for ip(8) and tc(8): a bridge, and a container's pair of interfaces. Pure. */

/**
 * The bridge's own hardware address is fixed, or it would change with its members. What containers say of multicast
 * groups is not listened to: they could fill its table.
 */
export function bridgeBatch(bridge: string, gateway: string, mtu: number, bits = 24): string {
  return [
    `link add name ${bridge} address ${hardwareAddress(gateway)} mtu ${mtu} type bridge mcast_snooping 0`,
    `address add ${gateway}/${bits} dev ${bridge}`,
    '',
  ].join('\n')
}

export interface LinkEnds {
  /** The host's. */
  link: string
  bridge: string
  /** A process in the container's network namespace. */
  pid: number
  /** The container's, such as eth0. */
  inside: string
  address: string
  mtu: number
  /** Whether it is led to itself when it asks for a port that it has published. */
  hairpin: boolean
}

/** The host's half: one end on the bridge, the other in the namespace of process `pid`. */
export function attachBatch({ link, bridge, pid, inside, address, mtu, hairpin }: LinkEnds): string {
  const peer = `peer name ${inside} address ${hardwareAddress(address)} mtu ${mtu} netns ${pid}`
  return [
    `link add name ${link} mtu ${mtu} type veth ${peer}`,
    `link set dev ${link} addrgenmode none`,
    `link set dev ${link} master ${bridge} up`,
    // Where the kernel filters bridged packets, such a one turns round at the bridge's port.
    ...(hairpin ? [`link set dev ${link} type bridge_slave hairpin on`] : []),
    '',
  ].join('\n')
}

/** The container's half, to be run in its namespace. The first interface's route is used before those of others. */
export function insideBatch(
  inside: string,
  position: number,
  address: string,
  gateway: string,
  bits = 24,
): string {
  return [
    'link set dev lo up',
    `address add ${address}/${bits} dev ${inside}`,
    `link set dev ${inside} up`,
    `route add default via ${gateway} dev ${inside}${position === 0 ? '' : ` metric ${position}`}`,
    '',
  ].join('\n')
}

/**
 * What leaves this end of a pair is slowed down to so many bits a second. The burst is what goes through in 10 ms,
 * and never less than the largest packet that the kernel hands over in one piece. Source: tc-tbf(8).
 */
export function shapeBatch(device: string, bitsPerSecond: number): string {
  const burstBytes = Math.max(65_536, Math.ceil(bitsPerSecond / 8 / 100))
  return `qdisc replace dev ${device} root tbf rate ${bitsPerSecond}bit burst ${burstBytes} latency 50ms\n`
}

/** Follows from the address, so that neighbours' caches stay right when a container starts anew. */
export function hardwareAddress(address: string): string {
  return `0a:58:${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join(':')}`
}
