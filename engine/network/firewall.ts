/**
 * The firewall as text for nft(8). Pure. Two tables an engine, replaced in one transaction: `bridge` sees every frame
 * that a container sends, `inet` every packet that leaves its network. What changes with containers is in sets and
 * maps, so that a change is small and atomic. Names of our bridges begin with one prefix, those of every engine on the
 * host with `bth`.
 *
 * A drop here is final whatever other tables say; what others drop in tables of their own is in host-firewalls.ts.
 */
import type { Egress, PublishedPort } from './networks.ts'
import { disjointRanges, formatRange, parseRange } from './subnets.ts'

export interface FirewallOptions {
  table: string
  /** What the names of this engine's bridges begin with. */
  bridgePrefix: string
  /** What the names of the containers' ends on this host begin with. */
  linkPrefix: string
  /** All networks' addresses are from this range. */
  pool: string
  allowedHostPorts: number[]
  /** Interfaces that lead to the world. */
  uplinks: string[]
  networks: { bridge: string; gateway: string; egress: Egress }[]
  places: FirewallPlace[]
  published: FirewallPort[]
  /** All that containers have, also those that don't run: for other engines to see. */
  promised: HostPort[]
  forwarded: ForwardedPort[]
  resolvers: FirewallResolver[]
}

/** Whose questions for names go to another port of the gateway than 53. */
export interface FirewallResolver {
  bridge: string
  /** The container's. */
  address: string
  port: number
}

/** The only addresses that may come out of a link. */
export interface FirewallPlace {
  link: string
  hardwareAddress: string
  address: string
}

export interface FirewallPort extends PublishedPort {
  /** The container's. */
  address: string
}

/** A port that leads to these containers in turn. */
export interface ForwardedPort {
  protocol: 'tcp' | 'udp'
  hostPort: number
  /** Ranges that may begin a connection; none: all. */
  sources: string[]
  targets: { address: string; port: number }[]
}

/** What every engine's bridges begin with. */
export const anyBridge = 'bth'

/** Cloud metadata services, link-local and not. fd00:ec2::254 is IPv6, which no container has. */
const metadata = ['169.254.0.0/16', '100.100.100.200', '168.63.129.16', '192.0.0.192']

const everyAddress = '0.0.0.0'

/** Replaces both tables in one step. */
export function firewallRules(options: FirewallOptions): string {
  const {
    table,
    bridgePrefix,
    linkPrefix,
    pool,
    allowedHostPorts,
    uplinks,
    networks,
    places,
    published,
    promised,
    forwarded,
    resolvers,
  } = options
  const ours = `"${bridgePrefix}*"`
  const links = `"${linkPrefix}*"`
  const set = (elements: (string | number)[]) =>
    elements.length > 0 ? `elements = { ${elements.join(', ')} }` : ''
  const open = networks.filter(({ egress }) => egress === 'all').map(({ bridge }) => `"${bridge}"`)
  const same = networks.map(({ bridge }) => `"${bridge}" . "${bridge}"`)
  const gateways = networks.map(({ bridge, gateway }) => `"${bridge}" . ${gateway}`)
  return `
add table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  set places { type ifname . ether_addr . ipv4_addr; ${set(places.map(placeElement))}
  }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname != ${links} accept
    # Nobody gets an address from a container: whoever asks by DHCP hears this before any other firewall is asked.
    ether type ip udp dport 68 drop
    ether type ip iifname . ether saddr . ip saddr @places accept
    ether type arp iifname . ether saddr . arp saddr ip @places iifname . arp saddr ether . arp saddr ip @places accept
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname ${links} ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 drop
  }
}
add table inet ${table}
delete table inet ${table}
table inet ${table} {
  set same_network { type ifname . ifname; ${set(same)}
  }
  set gateways { type ifname . ipv4_addr; ${set(gateways)}
  }
  set open { type ifname; ${set(open)}
  }
  set egress { type ifname . ipv4_addr; flags interval; ${set(networks.flatMap(egressElements))}
  }
  set host_ports { type inet_service; ${set(allowedHostPorts)}
  }
  set uplinks { type ifname; ${set(uplinks.map((link) => `"${link}"`))}
  }
  set metadata { type ipv4_addr; flags interval; ${set(metadata)}
  }
  map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${set(published.filter((port) => !isEverywhere(port)).map(portElement))}
  }
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${set(published.filter(isEverywhere).map(portElement))}
  }
  set promised { type ipv4_addr . inet_proto . inet_service; ${set(promised.map(promisedElement))}
  }
  set publishers { type ipv4_addr . ipv4_addr; ${set([...new Set([...published, ...forwarded.flatMap(({ targets }) => targets)].map(publisherElement))])}
  }
  map resolvers { type ifname . ipv4_addr : inet_service; ${set(resolvers.map(({ bridge, address, port }) => `"${bridge}" . ${address} : ${port}`))}
  }
  chain early {
    type filter hook prerouting priority raw; policy accept;
    # Frames to the addresses of bridge protocols pass the bridge by, and come in by the link itself.
    iifname ${links} drop
    # Loopback is let through on bridges with published ports: by the host only.
    iifname ${ours} ip daddr 127.0.0.0/8 drop
    iifname ${ours} meta nfproto ipv6 drop
  }
  chain outside_in {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type != local return
    ip daddr ${pool} meta l4proto { tcp, udp } th dport 53 redirect to :iifname . ip saddr map @resolvers
    iifname . ip daddr @gateways jump published_ports
    iifname ${ours} ip daddr ${pool} return
    jump published_ports
  }
  chain here_in {
    type nat hook output priority -100; policy accept;
    fib daddr type != local return
    jump published_ports
  }
  chain published_ports {
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    dnat ip to meta l4proto . th dport map @published
    jump forwarded_ports
  }
  chain forwarded_ports {
${forwarded
  .flatMap(forwardRules)
  .map((rule) => `    ${rule}\n`)
  .join('')}  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != ${ours} oifname != ${ours} accept
    iifname . oifname @same_network accept
    ct state invalid drop
    meta nfproto ipv6 drop
    # Looked at with each packet, so that what is narrowed ends at once.
    iifname ${ours} ct direction original goto leaving
    ct state established,related accept
    ct status dnat accept
    drop
  }
  chain leaving {
    ip daddr @metadata drop
    ct status dnat iifname @open accept
    ct status dnat iifname . ct original ip daddr @egress accept
    oifname "${anyBridge}*" drop
    # Bridges of Docker, podman or virtual machines are no world: their own firewalls count on being asked last.
    iifname @open meta oifkind "bridge" oifname != @uplinks drop
    iifname @open accept
    iifname . ip daddr @egress accept
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != ${ours} accept
    meta nfproto ipv6 drop
    ct state established,related accept
    iifname . ip daddr @gateways meta l4proto { tcp, udp } th dport 53 accept
    iifname . ip daddr @gateways meta l4proto { tcp, udp } ct status dnat ct original proto-dst 53 accept
    iifname . ip daddr @gateways icmp type echo-request limit rate 20/second burst 20 packets accept
    iifname @open tcp dport @host_ports accept
    iifname . ip daddr @egress tcp dport @host_ports accept
    drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    # A published port asked for on loopback, or from its own network: the answer must come back this way.
    oifname ${ours} ip saddr 127.0.0.0/8 masquerade
    ct status dnat iifname . oifname @same_network masquerade
    # To itself, also where it turns round in the bridge and so has no interface that it came in by.
    ct status dnat ip saddr . ip daddr @publishers masquerade
    iifname ${ours} oifname != "${anyBridge}*" masquerade
  }
}
`
}

/** Adds to the set of places, or takes out of it; no error if it is there already, or not there. */
export function placeChange(change: 'add' | 'delete', table: string, place: FirewallPlace): string {
  return elementChange(change, `bridge ${table} places`, placeElement(place))
}

/** Publishes a port, or takes it back; no error if it is that way already. */
export function portChange(change: 'add' | 'delete', table: string, port: FirewallPort): string {
  const map = `inet ${table} ${isEverywhere(port) ? 'published' : 'published_at'}`
  const publisher = elementChange('add', `inet ${table} publishers`, publisherElement(port))
  return `${change === 'add' ? publisher : ''}${elementChange(change, map, portElement(port))}`
}

export interface ForwardChange {
  forwarded: ForwardedPort[]
  /** Ports that are kept for somebody from now on, and those that are not any more. */
  promised: HostPort[]
  freed: HostPort[]
}

type HostPort = Pick<PublishedPort, 'hostAddress' | 'protocol' | 'hostPort'>

/** Has all forwarded ports lead to these containers, and nowhere else. */
export function forwardChange(table: string, { forwarded, promised, freed }: ForwardChange): string {
  const publishers = forwarded.flatMap(({ targets }) => targets).map(publisherElement)
  const promise = (change: 'add' | 'delete', port: HostPort) =>
    elementChange(change, `inet ${table} promised`, promisedElement(port))
  return [
    ...freed.map((port) => promise('delete', port)),
    ...promised.map((port) => promise('add', port)),
    ...publishers.map((element) => elementChange('add', `inet ${table} publishers`, element)),
    `flush chain inet ${table} forwarded_ports\n`,
    ...forwarded.flatMap(forwardRules).map((rule) => `add rule inet ${table} forwarded_ports ${rule}\n`),
  ].join('')
}

/**
 * Of each new connection's first packet it is asked where it goes; the others follow. The targets take turns: of three
 * the first takes every third, the second every other one of the rest. There is no set or map in it: a packet that is
 * being looked at while the rules are replaced sees the old ones to their end, but what was in their sets is gone by then.
 */
function forwardRules({ protocol, hostPort, sources, targets }: ForwardedPort): string[] {
  const ranges = disjointRanges(sources.map(parseRange)).map((range) => `ip saddr ${formatRange(range)} `)
  return (ranges.length > 0 ? ranges : ['']).flatMap((from) =>
    targets.map(({ address, port }, at) => {
      const left = targets.length - at
      const turn = left > 1 ? `numgen inc mod ${left} 0 ` : ''
      return `${protocol} dport ${hostPort} ${from}${turn}dnat ip to ${address}:${port}`
    }),
  )
}

/** What is not there can be added, and then deleted: nft has no "delete if there" before 1.0.8. */
function elementChange(change: 'add' | 'delete', set: string, element: string): string {
  const add = `add element ${set} { ${element} }\n`
  return change === 'add' ? add : `${add}delete element ${set} { ${element} }\n`
}

const promisedElement = ({ hostAddress, protocol, hostPort }: HostPort) =>
  `${hostAddress} . ${protocol} . ${hostPort}`

const publisherElement = ({ address }: { address: string }) => `${address} . ${address}`

const isEverywhere = ({ hostAddress }: FirewallPort) => hostAddress === everyAddress

function placeElement({ link, hardwareAddress, address }: FirewallPlace): string {
  return `"${link}" . ${hardwareAddress} . ${address}`
}

function portElement(port: FirewallPort): string {
  const { hostAddress, hostPort, protocol, containerPort, address } = port
  const key = `${protocol} . ${hostPort} : ${address} . ${containerPort}`
  return isEverywhere(port) ? key : `${hostAddress} . ${key}`
}

/** Intervals of a set must not overlap. */
function egressElements({ bridge, egress }: { bridge: string; egress: Egress }): string[] {
  if (egress === 'all' || egress === 'none') return []
  return disjointRanges(egress.map(parseRange)).map((range) => `"${bridge}" . ${formatRange(range)}`)
}
