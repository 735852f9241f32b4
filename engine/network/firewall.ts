/**
 * The firewall as text for nft(8). Pure. One static table an engine; what changes is in two sets, so that each change
 * is one atomic step. Names of our bridges begin with one prefix, those of every engine on the host with `bth`.
 */
export interface FirewallOptions {
  table: string
  /** What the names of this engine's bridges begin with. */
  bridgePrefix: string
  allowedHostPorts: number[]
  networks: { bridge: string; gateway: string }[]
}

/** What every engine's bridges begin with. */
export const anyBridge = 'bth'

/** Cloud metadata services, link-local and not. */
const metadata = ['169.254.0.0/16', '100.100.100.200', '168.63.129.16', '192.0.0.192']

/** Replaces the whole table in one step. */
export function firewallRules({ table, bridgePrefix, allowedHostPorts, networks }: FirewallOptions): string {
  const ours = `"${bridgePrefix}*"`
  const set = (elements: (string | number)[]) =>
    elements.length > 0 ? `elements = { ${elements.join(', ')} }` : ''
  return `
add table inet ${table}
delete table inet ${table}
table inet ${table} {
  set same_network { type ifname . ifname; ${set(networks.map(({ bridge }) => `"${bridge}" . "${bridge}"`))}
  }
  set gateways { type ifname . ipv4_addr; ${set(networks.map(({ bridge, gateway }) => `"${bridge}" . ${gateway}`))}
  }
  set host_ports { type inet_service; ${set(allowedHostPorts)}
  }
  set metadata { type ipv4_addr; flags interval; ${set(metadata)}
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != ${ours} oifname != ${ours} accept
    iifname . oifname @same_network accept
    ct state established,related accept
    ct state invalid drop
    meta nfproto ipv6 drop
    iifname ${ours} ip daddr @metadata drop
    iifname ${ours} oifname "${anyBridge}*" drop
    iifname ${ours} accept
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != ${ours} accept
    ct state established,related accept
    iifname . ip daddr @gateways udp dport 53 accept
    iifname . ip daddr @gateways tcp dport 53 accept
    meta nfproto ipv4 tcp dport @host_ports accept
    iifname . ip daddr @gateways icmp type echo-request limit rate 20/second burst 20 packets accept
    drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    iifname ${ours} oifname != "${anyBridge}*" masquerade
  }
}
`
}

/** Adds one network to the sets, or takes it out; no error if it is there already, or not there. */
export function firewallChange(
  change: 'add' | 'delete',
  table: string,
  { bridge, gateway }: { bridge: string; gateway: string },
): string {
  const line = (verb: string) =>
    `${verb} element inet ${table} same_network { "${bridge}" . "${bridge}" }\n` +
    `${verb} element inet ${table} gateways { "${bridge}" . ${gateway} }\n`
  return change === 'add' ? line('add') : line('add') + line('delete')
}
